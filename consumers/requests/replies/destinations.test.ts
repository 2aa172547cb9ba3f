import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../kafka/port.js';
import { Destinations } from './destinations.js';

const PROBE = 'p.nodes';

function asking(partitions: Record<string, number>) {
  const asked: string[] = [];
  const failures: Record<string, Error[]> = {};
  const state = { time: 0 };
  const admin = {
    partitionCount(topic: string): Promise<number | undefined> {
      if (topic !== PROBE) asked.push(topic);
      const failure = failures[topic]?.shift();
      return failure ? Promise.reject(failure) : Promise.resolve(partitions[topic]);
    },
  };
  const destinations = new Destinations(admin, { probeTopic: PROBE, now: () => state.time });
  return { asked, failures, state, destinations };
}

const away = (): KafkaError => new KafkaError('unavailable', 'away');

test('concurrent lookups of a topic are merged, and repeated when stale', async () => {
  const { asked, state, destinations } = asking({ replies: 4 });
  await Promise.all([destinations.lookUp('replies'), destinations.lookUp('replies')]);
  assert.equal(destinations.lookUp('replies'), undefined);
  assert.deepEqual(asked, ['replies']);
  state.time = 5 * 60_000;
  await destinations.lookUp('replies');
  assert.deepEqual(asked, ['replies', 'replies']);
});

test('a missing topic is soon looked up again', async () => {
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

test('only existing partitions can be replied to', async () => {
  const { destinations } = asking({ replies: 2 });
  await destinations.lookUp('replies');
  for (const partition of [undefined, 0, 1])
    assert.equal(destinations.check('replies', partition), undefined);
  const refused: [number, string][] = [
    [2, '2'],
    [-1, '-1'],
    [NaN, 'undecodable bytes'],
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

test('an outage is waited out', async () => {
  const { asked, failures, destinations } = asking({ replies: 1, [PROBE]: 1 });
  failures['replies'] = [away(), away()];
  failures[PROBE] = [away(), away()];
  await destinations.lookUp('replies');
  assert.equal(asked.length, 3);
  assert.equal(destinations.check('replies', 0), undefined);
});

test('a topic that may not be described is refused at once, and looked up again later', async () => {
  const { asked, failures, state, destinations } = asking({ 'hidden.replies': 1 });
  failures['hidden.replies'] = [new KafkaError('not-authorized', 'TOPIC_AUTHORIZATION_FAILED')];
  await destinations.lookUp('hidden.replies');
  assert.match(
    destinations.check('hidden.replies', 0)?.message ?? '',
    /may use, got: a node needs WRITE on topic hidden.replies: TOPIC_AUTH/,
  );
  assert.equal(destinations.lookUp('hidden.replies', 0), undefined);
  state.time = 10_000;
  await destinations.lookUp('hidden.replies');
  assert.equal(destinations.check('hidden.replies', 0), undefined);
  assert.equal(asked.length, 2);
});

test('a topic on which a healthy cluster keeps failing is refused', async () => {
  const { asked, failures, destinations } = asking({ [PROBE]: 1 });
  failures['stuck.replies'] = [away(), away()];
  await destinations.lookUp('stuck.replies');
  assert.match(destinations.check('stuck.replies', 0)?.message ?? '', /got: away/);
  assert.equal(asked.length, 2);
});

test('lookups end with the node', async () => {
  const { failures, destinations } = asking({});
  failures['replies'] = Array.from({ length: 100 }, away);
  failures[PROBE] = Array.from({ length: 100 }, away);
  const lookUp = destinations.lookUp('replies');
  destinations.close();
  await assert.rejects(lookUp ?? Promise.resolve(), { kind: 'unavailable' });
});
