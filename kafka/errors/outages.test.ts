import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outages } from './outages.js';
import { KafkaError } from '../port.js';

const AWAY = new KafkaError('unavailable', 'connect ECONNREFUSED');
const shortly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

function watch(): { outages: Outages; logged: string[]; pass: (ms: number) => void } {
  const logged: string[] = [];
  const say = (_: unknown, message?: string): void => void logged.push(message ?? '');
  let now = 1_000_000;
  const log = { warn: say, info: say } as unknown as ConstructorParameters<typeof Outages>[0];
  return { outages: new Outages(log, ['b:1'], 1, () => now), logged, pass: (ms) => void (now += ms) };
}

test('an outage is announced once, with its duration, no matter how many calls fail during it', async () => {
  const { outages, logged, pass } = watch();
  const [fetch, group] = [outages.link(), outages.link()];
  for (let time = 0; time < 100; time++) {
    fetch.failed(AWAY, time % 4);
    group.failed(AWAY);
  }
  pass(3_000);
  await shortly();
  assert.deepEqual(outages.current, { since: 1_000_000, reason: 'connect ECONNREFUSED' });
  pass(60_000);
  for (let key = 0; key < 4; key++) fetch.worked(key);
  assert.equal(logged.length, 1, 'the group is still failing');
  group.worked();
  assert.deepEqual(logged, [
    'Kafka has been unavailable for 3.0 s; retrying until it is back',
    'Kafka is available again after 63.0 s; resuming',
  ]);
  assert.equal(outages.current, undefined);
});

test('a failure that recovers at once is not an outage', async () => {
  const { outages, logged } = watch();
  const link = outages.link();
  link.failed(AWAY);
  link.worked();
  await shortly();
  assert.deepEqual([logged, outages.current], [[], undefined]);
});

test('a closed link neither prolongs an outage nor reports a recovery', async () => {
  const { outages, logged } = watch();
  const link = outages.link();
  link.failed(AWAY);
  await shortly();
  link.close();
  assert.equal(outages.current, undefined);
  assert.equal(logged.length, 1);
});

test('the reason of a failed attempt takes precedence over a missing answer', async () => {
  const { outages } = watch();
  outages.link().failed(new Error('no answer from the brokers'));
  outages.note('getaddrinfo ENOTFOUND kafka');
  await shortly();
  assert.equal(outages.current?.reason, 'getaddrinfo ENOTFOUND kafka');
});
