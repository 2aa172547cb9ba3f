import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { checkBinding } from '../../cluster/bindings/definition.js';
import { bindingRecord } from '../../cluster/bindings/store.js';
import { deadLetterRanges, readHandled } from '../../operations/dead-letters/scan.js';
import { Replay } from '../../operations/dead-letters/replay.js';
import { DeadLetterTopics } from '../../operations/dead-letters/topics.js';
import { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type KafkaProducer, type KafkaRecord } from '../../kafka/port.js';
import { sleep } from '../../core/time.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { eventually } from '../support/eventually.js';
import { DeadLetterTools, connectLetter } from '../support/dead-letter-tools.js';
import { floats, valuesOf } from '../support/raw-client.js';

/** Slightly longer than nodes cache a missing reply topic. */
const MISSING_MS = 2_500;

let tools: DeadLetterTools;
before(async () => {
  tools = await DeadLetterTools.start();
});
after(() => tools.close());

const errorHeaders = ({ headers }: KafkaRecord): string[] =>
  Object.keys(headers).filter((name) => /^(__connect\.errors|kafka_dlt-|inference-error)/.test(name));

test('a request whose cause is fixed is replayed once and answered with its correlation id', async () => {
  const dead = tools.harness.topics.deadLetters('scale');
  const topic = tools.harness.topics.requests('scale');
  const sender = await tools.harness.rawClient();
  const replies = `${randomUUID().slice(0, 8)}.later.replies`;
  const bad = sender.send(topic, Buffer.from('no request'), { wantsReply: false, key: 'bad', partition: 1 });
  const correlation = sender.request(
    topic,
    { model: 'scale', inputs: [floats('x', [1, 4], [1, 2, 3, 4])] },
    {
      headers: { 'reply-to': Buffer.from(replies), tags: [Buffer.from('a'), Buffer.from('b')] },
      partition: 2,
    },
  );
  await eventually('two dead letters', async () => (await tools.list()).total === 2);
  const text = await tools.ask('list');
  assert.match(
    text,
    /^TOPIC +PARTITION +OFFSET +TIME +REASON +KEY +MESSAGE\npartitura\.scale\.requests-dlt +\d +\d+ +20\S+Z +\w+ /,
  );
  assert.match(text, /^2 dead letters: 1 DECODE_FAILED, 1 INVALID_REQUEST$/m);
  assert.deepEqual(
    (await tools.list('--reason', 'DECODE_FAILED')).letters.map(({ key }) => key),
    ['bad'],
  );

  assert.equal((await tools.replay('--dry-run', '--reason', 'INVALID_REQUEST')).replayed, 1);
  assert.equal((await tools.list()).total, 2);
  assert.ok(!(await tools.harness.read(topic)).some(({ headers }) => 'partitura-replays' in headers));

  const caller = await tools.harness.rawClient(replies);
  await sleep(MISSING_MS);
  const said = await tools.ask('replay', '--reason', 'INVALID_REQUEST');
  assert.equal(said, `replayed 1 (${topic}: 1), skipped 0\n`);
  await caller.answered([correlation]);
  assert.deepEqual(valuesOf(caller.replyTo(correlation).outputs[0]), [2, 4, 6, 8]);
  const again = (await tools.harness.read(topic)).find(({ headers }) => 'partitura-replays' in headers);
  assert.ok(again, 'a replayed record');
  assert.deepEqual(
    [again.partition, again.headers['tags'], errorHeaders(again)],
    [2, [Buffer.from('a'), Buffer.from('b')], []],
  );

  assert.equal(await tools.ask('replay', '--reason', 'INVALID_REQUEST'), 'replayed 0, skipped 0\n');
  assert.equal((await tools.list()).total, 1);
  assert.equal((await tools.list('--all')).total, 2);
  assert.match(await tools.ask('list', '--all'), /^replayed +partitura\.scale\.requests-dlt/m);

  await tools.refuse(['show', dead, '0', '99'], /INVALID_REQUEST: \S+ partition 0: expected an offset/);
  const [letter] = (await tools.list()).letters;
  const shown = await tools.ask('show', dead, String(letter?.partition), String(letter?.offset));
  assert.match(shown, /^from +partitura\.scale\.requests partition 1 offset 0$/m);
  assert.match(shown, new RegExp(`^  correlation-id: ${bad}$`, 'm'));
  assert.match(shown, /^value \(10 bytes, text\)\nno request$/m);
  assert.equal(
    await tools.ask('show', dead, String(letter?.partition), String(letter?.offset), '--raw'),
    'no request',
  );
});

test('a letter that comes back is counted, and skipped after --max-replays', async () => {
  const dead = tools.harness.topics.deadLetters('scale');
  const open = async (): Promise<number[]> => (await tools.list(dead)).letters.map(({ replays }) => replays);
  await eventually('the remaining letter', async () => (await open()).join() === '0');
  for (const replays of [1, 2]) {
    assert.equal((await tools.replay(dead, '--max-replays', '2')).replayed, 1);
    await eventually(`replay ${replays} came back`, async () => (await open()).join() === `${replays}`);
  }
  const { replayed, left, leftBecause } = await tools.replay(dead, '--max-replays', '2');
  assert.deepEqual([replayed, left, leftBecause], [0, 1, { 'came back 2 times (--max-replays 2)': 1 }]);
  assert.deepEqual(await open(), [2]);
});

test('letters of Connect and Spring are replayed byte for byte, and letters without an origin are skipped', async () => {
  const [dead, source] = [await tools.createTopic('orders-dlq'), await tools.createTopic('orders', 2)];
  const own: RecordHeaders = { trace: [Buffer.from([0, 255]), Buffer.from('b')], empty: Buffer.alloc(0) };
  const key = Buffer.from([0, 1, 255]);
  const numbers = (partition: string, offset: string): RecordHeaders => ({
    'kafka_dlt-original-topic': Buffer.from(source),
    'kafka_dlt-original-partition': Buffer.from(partition, 'hex'),
    'kafka_dlt-original-offset': Buffer.from(offset, 'hex'),
    'kafka_dlt-exception-fqcn': Buffer.from('java.lang.IllegalStateException'),
    'kafka_dlt-exception-message': Buffer.from('no stock'),
  });
  await tools.producer.send([
    connectLetter(dead, source, { key, value: null, headers: own }),
    {
      topic: dead,
      key,
      value: Buffer.from([9, 0]),
      headers: { ...own, ...numbers('00000001', '0000000000000007') },
    },
    connectLetter(dead, 'nowhere-at-all'),
    connectLetter(dead, dead),
    connectLetter(dead, 'partitura.nodes'),
    connectLetter(dead, source, {
      value: null,
      headers: { '__connect.errors.value.dropped': Buffer.from('9 bytes') },
    }),
    { topic: dead, key: null, value: Buffer.from('no headers at all'), headers: {} },
  ]);
  const { replayed, left, leftBecause } = await tools.replay(dead);
  assert.deepEqual([replayed, left], [2, 5]);
  assert.deepEqual(Object.keys(leftBecause).sort(), [
    'its origin is this very topic',
    'its origin partitura.nodes is an internal topic',
    'its value was dropped: 9 bytes',
    'no header names its original topic',
    'topic nowhere-at-all does not exist',
  ]);
  const records = (await tools.harness.read(source)).sort((a, b) => a.partition - b.partition);
  const count = { 'partitura-replays': Buffer.from('1') };
  assert.deepEqual(
    records.map(({ partition, key: itsKey, value, headers }) => [partition, itsKey, value, { ...headers }]),
    [
      [0, key, null, { ...own, ...count }],
      [1, key, Buffer.from([9, 0]), { ...own, ...count }],
    ],
  );
  assert.deepEqual(await tools.offsets(dead), [2, 3, 4, 5, 6]);
  assert.deepEqual(await tools.offsets(dead, '--all', '--reason', 'IllegalStateException'), [1]);
  assert.deepEqual(await tools.offsets(dead, '--all', '--key', '0x0001ff'), [0, 1]);
});

test('letters of bindings belong to the cluster, also behind transaction markers', async () => {
  const [dead, source] = [await tools.createTopic('failed'), await tools.createTopic('measurements')];
  const binding = checkBinding({
    name: 'b',
    source: { topic: source, format: 'json' },
    model: 'nobody',
    inputs: { x: ['a'] },
    output: { topic: `${source}.out` },
    deadLetters: dead,
  });
  await tools.producer.send([bindingRecord(tools.harness.topics.bindings, binding)]);
  const transactions = tools.harness.kafka.transactionalProducer(`tx-${randomUUID()}`);
  await transactions.connect();
  for (const reason of ['First', 'Second'])
    await transactions.sendWithOffsets([connectLetter(dead, source, { reason })]);
  await transactions.close();
  assert.deepEqual((await tools.list('--stage', 'VALUE_CONVERTER')).byReason, { First: 1, Second: 1 });
  assert.equal((await tools.replay('--reason', 'First')).replayed, 1);
  assert.equal((await tools.harness.read(source)).length, 1);
  await tools.ask('drop', dead, '--everything', '--all');
  const held = await tools.harness.withAdmin((admin) => admin.offsets(dead));
  assert.deepEqual(held, [{ partition: 0, start: 4, end: 4 }]);
});

/** Replays in this process. @param send replaces the sending of records */
async function replayHere(
  dead: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: () => void },
  send: KafkaProducer['send'] = (records) => tools.producer.send(records),
): Promise<void> {
  const topics = new DeadLetterTopics(tools.harness.topics, new Map());
  const outbox = new Outbox({ connect: () => Promise.resolve(), send, close: () => Promise.resolve() });
  await tools.harness.withAdmin(async (admin) => {
    const cluster = {
      kafka: tools.harness.kafka,
      admin,
      config: tools.harness.config({ fetchMaxBytes: 10_000 }),
      topics,
    };
    const options = {
      filter: { all: false },
      maxReplays: 3,
      outbox,
      signal,
      onProgress: () => onProgress?.(),
    };
    const replay = new Replay(cluster, await readHandled(cluster, [dead]), options);
    for (const ranges of await deadLetterRanges(cluster, [dead])) await replay.replay(ranges);
  });
}

test('a stopped replay continues with the rest when it is rerun, and sends nothing twice', async () => {
  const [dead, source] = [await tools.createTopic('stopped-dlt'), await tools.createTopic('source')];
  for (let sent = 0; sent < 100; sent++)
    await tools.producer.send([connectLetter(dead, source, { value: Buffer.alloc(1_000) })]);
  const stop = new AbortController();
  await replayHere(dead, { signal: stop.signal, onProgress: () => stop.abort() });
  const first = (await tools.harness.read(source)).length;
  assert.ok(first > 0 && first < 100, `${first} letters`);
  await replayHere(dead, {});
  assert.equal((await tools.harness.read(source)).length, 100);
});

test('a letter whose mark could not be written is reported and replayed again, never lost', async () => {
  const [dead, source] = [await tools.createTopic('unmarked-dlt'), await tools.createTopic('source')];
  await tools.producer.send([connectLetter(dead, source)]);
  const refuseMarks: KafkaProducer['send'] = (records) =>
    records.some(({ topic }) => topic === tools.harness.topics.handledLetters)
      ? Promise.reject(new KafkaError('other', 'marking failed'))
      : tools.producer.send(records);
  await assert.rejects(
    replayHere(dead, {}, refuseMarks),
    /the last 1 replayed letters may not be marked as replayed .*: marking failed/,
  );
  await replayHere(dead, {});
  await replayHere(dead, {});
  assert.equal((await tools.harness.read(source)).length, 2);
});
