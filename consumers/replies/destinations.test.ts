import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../core/kafka/port.js';
import { Destinations } from './destinations.js';

function asking(partitions: Record<string, number>) {
  const asked: string[] = [];
  const state = { time: 0, failures: 0 };
  const admin = {
    partitionCount(topic: string): Promise<number | undefined> {
      asked.push(topic);
      if (state.failures-- > 0) return Promise.reject(new KafkaError('unavailable', 'away'));
      return Promise.resolve(partitions[topic]);
    },
  };
  const destinations = new Destinations(admin, () => state.time);
  return { asked, state, destinations };
}

test('the cluster is asked once for a topic, however many ask, and again when its answer is old', async () => {
  const { asked, state, destinations } = asking({ replies: 4 });
  await Promise.all([destinations.lookUp('replies'), destinations.lookUp('replies')]);
  assert.equal(destinations.lookUp('replies'), undefined);
  assert.deepEqual(asked, ['replies']);
  state.time = 5 * 60_000;
  await destinations.lookUp('replies');
  assert.deepEqual(asked, ['replies', 'replies']);
});

test('a topic that is missing is soon asked for again', async () => {
  const partitions: Record<string, number> = {};
  const { state, destinations } = asking(partitions);
  await destinations.lookUp('late.replies');
  assert.match(destinations.check('late.replies', undefined)?.message ?? '', /expected a topic that exists/);
  assert.equal(destinations.lookUp('late.replies'), undefined);
  partitions['late.replies'] = 1;
  state.time = 2_000;
  await destinations.lookUp('late.replies');
  assert.equal(destinations.check('late.replies', undefined), undefined);
});

test('only partitions that the topic has can be answered to', async () => {
  const { destinations } = asking({ replies: 2 });
  await destinations.lookUp('replies');
  for (const partition of [undefined, 0, 1])
    assert.equal(destinations.check('replies', partition), undefined);
  const refused: [number, string][] = [
    [2, '2'],
    [-1, '-1'],
    [NaN, 'bytes that are none'],
    [1e20, '100000000000000000000'],
  ];
  for (const [partition, got] of refused) {
    const error = destinations.check('replies', partition);
    assert.deepEqual(
      [error?.code, error?.message],
      ['INVALID_REQUEST', `reply partition of 'replies': expected 0 to 1, got ${got}`],
    );
  }
});

test('a cluster that is away for a moment is asked again', async () => {
  const { asked, state, destinations } = asking({ replies: 1 });
  state.failures = 1;
  await destinations.lookUp('replies');
  assert.equal(asked.length, 2);
  assert.equal(destinations.check('replies', 0), undefined);
});

test('a cluster that stays away is an error, and the next look-up asks anew', async () => {
  const { state, destinations } = asking({ replies: 1 });
  state.failures = 1;
  const lookUp = destinations.lookUp('replies');
  state.time = 60_001;
  await assert.rejects(lookUp ?? Promise.resolve(), { kind: 'unavailable' });
  await destinations.lookUp('replies');
  assert.equal(destinations.check('replies', 0), undefined);
});
