import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outages } from './outages.js';
import { KafkaError } from '../port.js';

const AWAY = new KafkaError('unavailable', 'connect ECONNREFUSED');
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

function watch(): { outages: Outages; said: string[]; pass: (ms: number) => void } {
  const said: string[] = [];
  const say = (_: unknown, message?: string): void => void said.push(message ?? '');
  let now = 1_000_000;
  const log = { warn: say, info: say } as unknown as ConstructorParameters<typeof Outages>[0];
  return { outages: new Outages(log, ['b:1'], 1, () => now), said, pass: (ms) => void (now += ms) };
}

test('an outage is announced once, with its duration, whatever fails in it and however often', async () => {
  const { outages, said, pass } = watch();
  const [fetch, group] = [outages.link(), outages.link()];
  for (let time = 0; time < 100; time++) {
    fetch.failed(AWAY, time % 4);
    group.failed(AWAY);
  }
  pass(3_000);
  await soon();
  assert.deepEqual(outages.current, { since: 1_000_000, reason: 'connect ECONNREFUSED' });
  pass(60_000);
  for (let key = 0; key < 4; key++) fetch.worked(key);
  assert.equal(said.length, 1, 'the group still fails');
  group.worked();
  assert.deepEqual(said, [
    'Kafka has been unavailable for 3.0 s; waiting until it is back',
    'Kafka is available again after 63.0 s; work goes on',
  ]);
  assert.equal(outages.current, undefined);
});

test('what passes at once is no outage', async () => {
  const { outages, said } = watch();
  const link = outages.link();
  link.failed(AWAY);
  link.worked();
  await soon();
  assert.deepEqual([said, outages.current], [[], undefined]);
});

test('a link that is closed neither keeps an outage open nor ends one with a success', async () => {
  const { outages, said } = watch();
  const link = outages.link();
  link.failed(AWAY);
  await soon();
  link.close();
  assert.equal(outages.current, undefined);
  assert.equal(said.length, 1);
});

test('the reason of a try that failed says more than that nobody answered', async () => {
  const { outages } = watch();
  outages.link().failed(new Error('the brokers do not answer'));
  outages.note('getaddrinfo ENOTFOUND kafka');
  await soon();
  assert.equal(outages.current?.reason, 'getaddrinfo ENOTFOUND kafka');
});
