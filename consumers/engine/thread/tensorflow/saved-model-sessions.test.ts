import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Binding } from '../binding.js';
import { SavedModelSessions } from './saved-model-sessions.js';

test('signatures of a SavedModel share a session until the last one is released', () => {
  const events: string[] = [];
  let next = 0;
  const binding = {
    loadSavedModel: (directory: string, tags: string) => {
      events.push(`load ${directory} ${tags}`);
      return next++;
    },
    deleteSavedModel: (session: number) => events.push(`delete ${session}`),
  } as unknown as Binding;
  const sessions = new SavedModelSessions();
  const [one, same, tagged] = ['serve', 'serve', 'serve,gpu'].map((tags) =>
    sessions.open(binding, '/m/1', tags),
  );
  assert.deepEqual([one?.id, same?.id, tagged?.id], [0, 0, 1]);
  one?.release();
  assert.equal(events.includes('delete 0'), false);
  same?.release();
  assert.deepEqual(events, ['load /m/1 serve', 'load /m/1 serve,gpu', 'delete 0']);
  assert.equal(sessions.open(binding, '/m/1', 'serve').id, 2);
});
