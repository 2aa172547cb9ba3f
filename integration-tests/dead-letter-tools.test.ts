import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { checkBinding } from '../core/bindings/definition.js';
import { bindingRecord } from '../core/bindings/store.js';
import { letterRanges, readHandled } from '../core/dead-letters/letter-scan.js';
import { Replay } from '../core/dead-letters/replay.js';
import { LetterTopics } from '../core/dead-letters/topics.js';
import { Outbox } from '../core/kafka/outbox.js';
import { KafkaError, type KafkaProducer, type KafkaRecord, type OutgoingRecord } from '../core/kafka/port.js';
import { sleep } from '../core/retry.js';
import type { RecordHeaders } from '../schemas/framing/framing.js';
import { CommandLine } from './support/command-line.js';
import { eventually } from './support/eventually.js';
import { Harness } from './support/harness.js';
import type { Ended } from './support/programs.js';
import { floats, valuesOf } from './support/stranger.js';

/** How long a node believes that a reply topic is missing, and a little more. */
const MISSING_MS = 2_500;

let harness: Harness;
let producer: KafkaProducer;
const cli = new CommandLine({});
before(async () => {
  harness = await Harness.start(['scale']);
  producer = harness.kafka.producer();
  await producer.connect();
  await harness.node();
});
after(async () => {
  await producer.close();
  await harness.close();
});

const dlq = (...args: string[]): Promise<Ended> =>
  cli.run(['dlq', ...args], { KAFKA_BROKERS: harness.broker.bootstrap });

async function ask(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await dlq(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

const askJson = async <T>(...args: string[]): Promise<T> => JSON.parse(await ask(...args, '--json')) as T;

interface Listed {
  readonly total: number;
  readonly older: number;
  readonly byReason: Readonly<Record<string, number>>;
  readonly letters: readonly {
    readonly offset: number;
    readonly partition: number;
    readonly key: string | null;
    readonly replays: number;
  }[];
}

const list = (...args: string[]): Promise<Listed> => askJson<Listed>('list', ...args);
const offsets = async (...args: string[]): Promise<number[]> =>
  (await list(...args)).letters.map(({ offset }) => offset);

interface Replayed {
  readonly replayed: number;
  readonly left: number;
  readonly leftBecause: Readonly<Record<string, number>>;
}

const replay = (...args: string[]): Promise<Replayed> => askJson<Replayed>('replay', ...args);

async function refuse(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await dlq(...args);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, message);
}

/** A topic of somebody's, with this many partitions. */
async function createTopic(
  name: string,
  partitions = 1,
  config: Record<string, string> = {},
): Promise<string> {
  const topic = `${randomUUID().slice(0, 8)}.${name}`;
  await harness.withAdmin((admin) =>
    admin.createTopics([{ topic, partitions, replicationFactor: -1, config }]),
  );
  return topic;
}

function connectLetter(
  topic: string,
  from: string,
  { reason = 'org.acme.Broken', ...changes }: Partial<OutgoingRecord> & { reason?: string } = {},
): OutgoingRecord {
  const headers = {
    '__connect.errors.topic': Buffer.from(from),
    '__connect.errors.partition': Buffer.from('0'),
    '__connect.errors.offset': Buffer.from('5'),
    '__connect.errors.connector.name': Buffer.from('sink'),
    '__connect.errors.stage': Buffer.from('VALUE_CONVERTER'),
    '__connect.errors.exception.class.name': Buffer.from(reason),
    '__connect.errors.exception.message': Buffer.from('can not be read'),
    ...changes.headers,
  };
  return { topic, partition: 0, key: null, value: Buffer.from('value'), ...changes, headers };
}

const errorHeaders = ({ headers }: KafkaRecord): string[] =>
  Object.keys(headers).filter((name) => /^(__connect\.errors|kafka_dlt-|inference-error)/.test(name));

test('a request whose cause is mended is replayed once, and answered with its own correlation id', async () => {
  const dead = harness.topics.deadLetters('scale');
  const topic = harness.topics.requests('scale');
  const sender = await harness.stranger();
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
  await eventually('two dead letters', async () => (await list()).total === 2);
  const text = await ask('list');
  assert.match(
    text,
    /^TOPIC +PARTITION +OFFSET +TIME +REASON +KEY +MESSAGE\npartitura\.scale\.requests-dlt +\d +\d+ +20\S+Z +\w+ /,
  );
  assert.match(text, /^2 dead letters: 1 DECODE_FAILED, 1 INVALID_REQUEST$/m);
  assert.deepEqual(
    (await list('--reason', 'DECODE_FAILED')).letters.map(({ key }) => key),
    ['bad'],
  );

  assert.equal((await replay('--dry-run', '--reason', 'INVALID_REQUEST')).replayed, 1);
  assert.equal((await list()).total, 2);
  assert.ok(!(await harness.read(topic)).some(({ headers }) => 'partitura-replays' in headers));

  const caller = await harness.stranger(replies);
  await sleep(MISSING_MS);
  const said = await ask('replay', '--reason', 'INVALID_REQUEST');
  assert.equal(said, `replayed 1 (to 1 ${topic}), left 0\n`);
  await caller.answered([correlation]);
  assert.deepEqual(valuesOf(caller.replyTo(correlation).outputs[0]), [2, 4, 6, 8]);
  const again = (await harness.read(topic)).find(({ headers }) => 'partitura-replays' in headers);
  assert.ok(again, 'there is a replayed record');
  assert.deepEqual(
    [again.partition, again.headers['tags'], errorHeaders(again)],
    [2, [Buffer.from('a'), Buffer.from('b')], []],
  );

  assert.equal(await ask('replay', '--reason', 'INVALID_REQUEST'), 'replayed 0, left 0\n');
  assert.equal((await list()).total, 1);
  assert.equal((await list('--all')).total, 2);
  assert.match(await ask('list', '--all'), /^replayed +partitura\.scale\.requests-dlt/m);

  await refuse(['show', dead, '0', '99'], /INVALID_REQUEST: \S+ partition 0: expected an offset/);
  const [letter] = (await list()).letters;
  const shown = await ask('show', dead, String(letter?.partition), String(letter?.offset));
  assert.match(shown, /^from +partitura\.scale\.requests partition 1 offset 0$/m);
  assert.match(shown, new RegExp(`^  correlation-id: ${bad}$`, 'm'));
  assert.match(shown, /^value \(10 bytes, text\)\nno request$/m);
  assert.equal(
    await ask('show', dead, String(letter?.partition), String(letter?.offset), '--raw'),
    'no request',
  );
});

test('a letter that comes back is counted, and left after --max-replays', async () => {
  const dead = harness.topics.deadLetters('scale');
  const open = async (): Promise<number[]> => (await list(dead)).letters.map(({ replays }) => replays);
  await eventually('the letter that is left', async () => (await open()).join() === '0');
  for (const replays of [1, 2]) {
    assert.equal((await replay(dead, '--max-replays', '2')).replayed, 1);
    await eventually(
      `it is back for the ${replays}. time`,
      async () => (await open()).join() === `${replays}`,
    );
  }
  const { replayed, left, leftBecause } = await replay(dead, '--max-replays', '2');
  assert.deepEqual([replayed, left, leftBecause], [0, 1, { 'came back 2 times (--max-replays 2)': 1 }]);
  assert.deepEqual(await open(), [2]);
});

test('letters of Connect and of Spring go back byte for byte, and what names no place to go is left', async () => {
  const [dead, source] = [await createTopic('orders-dlq'), await createTopic('orders', 2)];
  const own: RecordHeaders = { trace: [Buffer.from([0, 255]), Buffer.from('b')], empty: Buffer.alloc(0) };
  const key = Buffer.from([0, 1, 255]);
  const numbers = (partition: string, offset: string): RecordHeaders => ({
    'kafka_dlt-original-topic': Buffer.from(source),
    'kafka_dlt-original-partition': Buffer.from(partition, 'hex'),
    'kafka_dlt-original-offset': Buffer.from(offset, 'hex'),
    'kafka_dlt-exception-fqcn': Buffer.from('java.lang.IllegalStateException'),
    'kafka_dlt-exception-message': Buffer.from('no stock'),
  });
  await producer.send([
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
    connectLetter(dead, source, { headers: { '__connect.errors.value.dropped': Buffer.from('9 bytes') } }),
    { topic: dead, key: null, value: Buffer.from('no headers at all'), headers: {} },
  ]);
  const { replayed, left, leftBecause } = await replay(dead);
  assert.deepEqual([replayed, left], [2, 5]);
  assert.deepEqual(Object.keys(leftBecause).sort(), [
    'it came from partitura.nodes, where records of others do not belong',
    'it came from this very topic',
    'its topic nowhere-at-all does not exist',
    'its value was too large to be kept',
    'no header names the topic that it came from',
  ]);
  const records = (await harness.read(source)).sort((a, b) => a.partition - b.partition);
  const count = { 'partitura-replays': Buffer.from('1') };
  assert.deepEqual(
    records.map(({ partition, key: itsKey, value, headers }) => [partition, itsKey, value, { ...headers }]),
    [
      [0, key, null, { ...own, ...count }],
      [1, key, Buffer.from([9, 0]), { ...own, ...count }],
    ],
  );
  assert.deepEqual(await offsets(dead), [2, 3, 4, 5, 6]);
  assert.deepEqual(await offsets(dead, '--all', '--reason', 'IllegalStateException'), [1]);
  assert.deepEqual(await offsets(dead, '--all', '--key', '0x0001ff'), [0, 1]);
});

test('filters choose by reason, stage, time and key, and a limit says how many more there are', async () => {
  const dead = await createTopic('filters-dlt');
  const now = Date.now();
  const aged = (hours: number, reason: string, key: string): OutgoingRecord => ({
    ...connectLetter(dead, 'x', { reason, key: Buffer.from(key) }),
    timestamp: now - hours * 60 * 60_000,
  });
  await producer.send([
    aged(50, 'a.Old', 'k1'),
    aged(3, 'a.New', 'k1'),
    aged(2, 'b.New', 'k2'),
    aged(0.1, 'b.Newest', 'k3'),
  ]);
  assert.deepEqual(await offsets(dead, '--since', '1d'), [1, 2, 3]);
  assert.deepEqual(await offsets(dead, '--until', '1d'), [0]);
  assert.deepEqual(await offsets(dead, '--since', '4h', '--until', '1h'), [1, 2]);
  assert.deepEqual(await offsets(dead, '--since', new Date(now - 2 * 60 * 60_000).toISOString()), [2, 3]);
  assert.deepEqual(await offsets(dead, '--reason', 'New'), [1, 2]);
  assert.deepEqual(await offsets(dead, '--reason', 'New', '--key', 'k2'), [2]);
  assert.deepEqual(await offsets(dead, '--stage', 'value_converter', '--key', 'k1'), [0, 1]);
  assert.deepEqual(await offsets(dead, '--stage', 'decode'), []);
  const { total, older, letters } = await list(dead, '--limit', '2');
  assert.deepEqual([total, older, letters.map(({ offset }) => offset)], [4, 2, [2, 3]]);
  assert.match(await ask('list', dead, '--limit', '3'), /^1 older ones are not shown \(--limit 3\)$/m);
  assert.equal(
    await ask('list', dead, '--summary'),
    '4 dead letters: 1 a.New, 1 a.Old, 1 b.New, 1 b.Newest\n',
  );
});

test('drop hides what was chosen and nothing else, and deletes records once all before them are dropped', async () => {
  const dead = await createTopic('drop-dlt');
  const send = (reason: string): OutgoingRecord => connectLetter(dead, 'x', { reason });
  await producer.send(['A', 'B', 'A', 'C', 'B'].map(send));
  const start = async (): Promise<number | undefined> =>
    harness.withAdmin(async (admin) => (await admin.offsets(dead))[0]?.start);
  const marks = async (): Promise<string[]> => {
    const last = new Map<string, boolean>();
    for (const { key, value } of await harness.read(harness.topics.handledLetters))
      last.set(key?.toString() ?? '', value !== null);
    return [...last].filter(([key, isThere]) => isThere && key.startsWith(dead)).map(([key]) => key);
  };

  await refuse(
    ['drop', dead],
    /INVALID_REQUEST: drop: expected a filter .* or --everything .*, got neither\n$/,
  );
  await refuse(
    ['drop', dead, '--everything', '--reason', 'A'],
    /expected --everything or filters, got both\n$/,
  );
  assert.equal(await ask('drop', dead, '--reason', 'B', '--dry-run'), `would have dropped 2 (2 ${dead})\n`);
  assert.equal((await list(dead)).total, 5);

  assert.equal(await ask('drop', dead, '--reason', 'B'), `dropped 2 (2 ${dead}), deleted 0\n`);
  assert.deepEqual(
    [await offsets(dead), await offsets(dead, '--all'), await start()],
    [[0, 2, 3], [0, 1, 2, 3, 4], 0],
  );
  assert.deepEqual((await marks()).sort(), [`${dead}/0/1`, `${dead}/0/4`]);

  const dropped = await askJson<object>('drop', dead, '--reason', 'A');
  assert.deepEqual(dropped, { dryRun: false, dropped: 2, from: { [dead]: 2 }, deleted: 3, undeletable: {} });
  assert.deepEqual([await offsets(dead, '--all'), await start()], [[3, 4], 3]);
  assert.deepEqual(await marks(), [`${dead}/0/4`]);

  await ask('drop', dead, '--everything');
  assert.deepEqual([await offsets(dead, '--all'), await start(), await marks()], [[], 5, []]);
});

test('drop deletes neither what was replayed nor what is no dead letter', async () => {
  const [dead, mixed, source] = [
    await createTopic('kept-dlt'),
    await createTopic('mixed'),
    await createTopic('source'),
  ];
  await producer.send([
    connectLetter(dead, source, { reason: 'Replayed' }),
    connectLetter(dead, source, { reason: 'Dropped' }),
    connectLetter(mixed, source),
    { topic: mixed, key: null, value: Buffer.from('an order'), headers: {} },
    connectLetter(mixed, source),
  ]);
  assert.equal((await replay(dead, '--reason', 'Replayed')).replayed, 1);
  assert.equal((await askJson<{ deleted: number }>('drop', dead, '--everything')).deleted, 0);
  assert.equal((await harness.read(dead)).length, 2);
  assert.equal((await askJson<{ deleted: number }>('drop', dead, '--everything', '--all')).deleted, 2);

  const { stderr } = await dlq('list', mixed);
  assert.equal(stderr, '1 records without error headers are no dead letters and not listed\n');
  const dropped = await askJson<{ dropped: number; deleted: number }>('drop', mixed, '--everything');
  assert.deepEqual([dropped.dropped, dropped.deleted], [2, 1]);
  assert.deepEqual(
    (await harness.read(mixed)).map(({ offset }) => offset),
    [1, 2],
  );
});

test('where records can not be deleted, dropped letters are hidden, and it says why', async () => {
  const dead = await createTopic('compact-dlt', 1, { 'cleanup.policy': 'compact' });
  await producer.send([connectLetter(dead, 'x', { key: Buffer.from('k') })]);
  const { code, stderr } = await dlq('drop', dead, '--everything');
  assert.equal(code, 0);
  assert.match(stderr, /compact-dlt: dropped letters are hidden, and stay: .*policy/i);
  assert.deepEqual([(await list(dead)).total, (await list(dead, '--all')).total], [0, 1]);
});

test('a letter of a topic that was made anew is not taken for the one that was there', async () => {
  const [dead, source] = [await createTopic('anew-dlt'), await createTopic('source')];
  await producer.send([connectLetter(dead, source)]);
  assert.equal((await replay(dead)).replayed, 1);
  await harness.withAdmin(async (admin) => {
    await admin.deleteTopics([dead]);
    await eventually('it is gone', async () => !(await admin.listTopics()).includes(dead));
    await admin.createTopics([{ topic: dead, partitions: 1, replicationFactor: -1 }]);
  });
  await eventually('a letter at the same place', () =>
    producer.send([connectLetter(dead, source)]).then(
      () => true,
      () => false,
    ),
  );
  assert.equal((await list(dead)).total, 1);
});

test('letters with thousands of headers, and larger than their topic takes now, come through or are left', async () => {
  const [dead, source] = [
    await createTopic('heavy-dlt'),
    await createTopic('source', 1, { 'max.message.bytes': '20000' }),
  ];
  const many = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, index) => [`h-${index}`, Buffer.from(String(index))] as const),
  );
  const random = Buffer.from(Array.from({ length: 40_000 }, () => Math.floor(Math.random() * 256)));
  await producer.send([
    connectLetter(dead, source, { value: Buffer.alloc(200_000, 'x') }),
    connectLetter(dead, source, { value: random }),
    connectLetter(dead, await createTopic('roomy'), {
      headers: { ...many, twice: Array.from({ length: 3_000 }, () => random.subarray(0, 2)) },
    }),
  ]);
  const { replayed, leftBecause } = await replay(dead);
  assert.deepEqual([replayed, leftBecause], [2, { [`is larger than ${source} takes`]: 1 }]);
  const shown = await ask('show', dead, '0', '2');
  assert.match(shown, /^headers \(8007\)$/m);
  assert.match(shown, /… 7907 more; --json has them all$/m);
  assert.equal((await harness.read(source))[0]?.value?.length, 200_000);
});

test('tens of thousands of letters are listed, replayed and dropped', async () => {
  const [dead, source] = [await createTopic('big-dlt', 2), await createTopic('source', 2)];
  const count = 30_000;
  const value = Buffer.alloc(1_000, 'x');
  for (let sent = 0; sent < count; sent += 1_000)
    await producer.send(
      Array.from({ length: 1_000 }, (_, index) =>
        connectLetter(dead, source, {
          reason: index % 10 === 0 ? 'Rare' : 'Often',
          value,
          partition: index % 2,
        }),
      ),
    );
  // Far less than the letters are: a heap of 48 MB, and fetches of 1 MB.
  const bounded = {
    KAFKA_BROKERS: harness.broker.bootstrap,
    NODE_OPTIONS: '--max-old-space-size=48',
    PARTITURA_FETCH_MAX_BYTES: '1000000',
  };
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli.run(['dlq', ...args], bounded);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.match(
    await run('list', dead, '--limit', '5'),
    /^30000 dead letters: 27000 Often, 3000 Rare\n29995 older/m,
  );
  assert.equal(await run('replay', dead, '--reason', 'Rare'), `replayed 3000 (to 3000 ${source}), left 0\n`);
  assert.equal(await run('list', dead, '--summary'), '27000 dead letters: 27000 Often\n');
  assert.equal(
    await run('drop', dead, '--everything', '--all'),
    `dropped 30000 (30000 ${dead}), deleted 30000\n`,
  );
  assert.equal(await run('list', dead, '--all'), 'no dead letters\n');
  assert.equal((await harness.read(source)).length, 3_000);
});

test('letters of bindings are among the cluster’s own, also where transactions leave their markers at the end', async () => {
  const [dead, source] = [await createTopic('failed'), await createTopic('measurements')];
  const binding = checkBinding({
    name: 'b',
    source: { topic: source, format: 'json' },
    model: 'nobody',
    inputs: { x: ['a'] },
    output: { topic: `${source}.out` },
    deadLetters: dead,
  });
  await producer.send([bindingRecord(harness.topics.bindings, binding)]);
  const transactions = harness.kafka.transactionalProducer(`tx-${randomUUID()}`);
  await transactions.connect();
  for (const reason of ['First', 'Second'])
    await transactions.sendWithOffsets([connectLetter(dead, source, { reason })]);
  await transactions.close();
  assert.deepEqual((await list('--stage', 'VALUE_CONVERTER')).byReason, { First: 1, Second: 1 });
  assert.equal((await replay('--reason', 'First')).replayed, 1);
  assert.equal((await harness.read(source)).length, 1);
  await ask('drop', dead, '--everything', '--all');
  const held = await harness.withAdmin((admin) => admin.offsets(dead));
  assert.deepEqual(held, [{ partition: 0, start: 4, end: 4 }]);
});

/** Replays in this process. @param send what takes the place of sending */
async function replayHere(
  dead: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: () => void },
  send: KafkaProducer['send'] = (records) => producer.send(records),
): Promise<void> {
  const topics = new LetterTopics(harness.topics, new Set());
  const outbox = new Outbox({ connect: () => Promise.resolve(), send, close: () => Promise.resolve() });
  await harness.withAdmin(async (admin) => {
    const cluster = {
      kafka: harness.kafka,
      admin,
      config: harness.config({ fetchMaxBytes: 10_000 }),
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
    for (const ranges of await letterRanges(cluster, [dead])) await replay.replay(ranges);
  });
}

test('a replay that is stopped goes on with the rest when it is given again, and sends nothing twice', async () => {
  const [dead, source] = [await createTopic('stopped-dlt'), await createTopic('source')];
  for (let sent = 0; sent < 100; sent++)
    await producer.send([connectLetter(dead, source, { value: Buffer.alloc(1_000) })]);
  const stop = new AbortController();
  await replayHere(dead, { signal: stop.signal, onProgress: () => stop.abort() });
  const first = (await harness.read(source)).length;
  assert.ok(first > 0 && first < 100, `${first} letters`);
  await replayHere(dead, {});
  assert.equal((await harness.read(source)).length, 100);
});

test('a letter that the cluster could not remember as replayed is told, and replayed again: never lost', async () => {
  const [dead, source] = [await createTopic('forgotten-dlt'), await createTopic('source')];
  await producer.send([connectLetter(dead, source)]);
  const refuseMarks: KafkaProducer['send'] = (records) =>
    records.some(({ topic }) => topic === harness.topics.handledLetters)
      ? Promise.reject(new KafkaError('other', 'no marks today'))
      : producer.send(records);
  await assert.rejects(
    replayHere(dead, {}, refuseMarks),
    /of 1 letters that were replayed last the cluster may not remember it, .*: no marks today/,
  );
  await replayHere(dead, {});
  await replayHere(dead, {});
  assert.equal((await harness.read(source)).length, 2);
});

test('what can not be read is told with what was expected', async () => {
  await refuse(
    ['list', 'nowhere-at-all'],
    /^partitura: INVALID_REQUEST: expected a topic that exists, got 'nowhere-at-all'; dead letters are in .*\n$/,
  );
  await refuse(
    ['drop', 'partitura.bindings', '--everything'],
    /expected a topic of dead letters, got 'partitura\.bindings'/,
  );
  await refuse(
    ['list', '--since', 'yesterday'],
    /argument 'yesterday' is invalid\. Expected an ISO time like /,
  );
  await refuse(['list', '--since', '1h', '--until', '2h'], /--since: expected a time before --until/);
  await refuse(['show', harness.topics.deadLetters('scale'), '99', '0'], /there is no partition 99\n$/);
  await refuse(['replay', '--max-replays', '0'], /Expected a whole number from 1\.\n/);
});
