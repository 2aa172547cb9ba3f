import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { OutgoingRecord } from '../../kafka/port.js';
import { eventually } from '../support/eventually.js';
import { DeadLetterTools, connectLetter } from '../support/dead-letter-tools.js';

let tools: DeadLetterTools;
before(async () => {
  tools = await DeadLetterTools.start();
});
after(() => tools.close());

test('filters select by reason, stage, time and key, and a limit reports the number of older letters', async () => {
  const dead = await tools.createTopic('filters-dlt');
  const now = Date.now();
  const aged = (hours: number, reason: string, key: string): OutgoingRecord => ({
    ...connectLetter(dead, 'x', { reason, key: Buffer.from(key) }),
    timestamp: now - hours * 60 * 60_000,
  });
  await tools.producer.send([
    aged(50, 'a.Old', 'k1'),
    aged(3, 'a.New', 'k1'),
    aged(2, 'b.New', 'k2'),
    aged(0.1, 'b.Newest', 'k3'),
  ]);
  assert.deepEqual(await tools.offsets(dead, '--since', '1d'), [1, 2, 3]);
  assert.deepEqual(await tools.offsets(dead, '--until', '1d'), [0]);
  assert.deepEqual(await tools.offsets(dead, '--since', '4h', '--until', '1h'), [1, 2]);
  assert.deepEqual(
    await tools.offsets(dead, '--since', new Date(now - 2 * 60 * 60_000).toISOString()),
    [2, 3],
  );
  assert.deepEqual(await tools.offsets(dead, '--reason', 'New'), [1, 2]);
  assert.deepEqual(await tools.offsets(dead, '--reason', 'New', '--key', 'k2'), [2]);
  assert.deepEqual(await tools.offsets(dead, '--stage', 'value_converter', '--key', 'k1'), [0, 1]);
  assert.deepEqual(await tools.offsets(dead, '--stage', 'decode'), []);
  const { total, older, letters } = await tools.list(dead, '--limit', '2');
  assert.deepEqual([total, older, letters.map(({ offset }) => offset)], [4, 2, [2, 3]]);
  assert.match(await tools.ask('list', dead, '--limit', '3'), /^1 older letters not shown \(--limit 3\)$/m);
  assert.equal(
    await tools.ask('list', dead, '--summary'),
    '4 dead letters: 1 a.New, 1 a.Old, 1 b.New, 1 b.Newest\n',
  );
});

test('drop hides only the selected letters, and deletes records once all before them are dropped', async () => {
  const dead = await tools.createTopic('drop-dlt');
  const send = (reason: string): OutgoingRecord => connectLetter(dead, 'x', { reason });
  await tools.producer.send(['A', 'B', 'A', 'C', 'B'].map(send));
  const start = async (): Promise<number | undefined> =>
    tools.harness.withAdmin(async (admin) => (await admin.offsets(dead))[0]?.start);
  const marks = async (): Promise<string[]> => {
    const last = new Map<string, boolean>();
    for (const { key, value } of await tools.harness.read(tools.harness.topics.handledLetters))
      last.set(key?.toString() ?? '', value !== null);
    return [...last].filter(([key, isThere]) => isThere && key.startsWith(dead)).map(([key]) => key);
  };

  await tools.refuse(
    ['drop', dead],
    /INVALID_REQUEST: drop: expected a filter .* or --everything .*, got neither\n$/,
  );
  await tools.refuse(
    ['drop', dead, '--everything', '--reason', 'A'],
    /expected --everything or filters, got both\n$/,
  );
  assert.equal(await tools.ask('drop', dead, '--reason', 'B', '--dry-run'), `would drop 2 (${dead}: 2)\n`);
  assert.equal((await tools.list(dead)).total, 5);

  assert.equal(await tools.ask('drop', dead, '--reason', 'B'), `dropped 2 (${dead}: 2), deleted 0\n`);
  assert.deepEqual(
    [await tools.offsets(dead), await tools.offsets(dead, '--all'), await start()],
    [[0, 2, 3], [0, 1, 2, 3, 4], 0],
  );
  assert.deepEqual((await marks()).sort(), [`${dead}/0/1`, `${dead}/0/4`]);

  const dropped = await tools.askJson<object>('drop', dead, '--reason', 'A');
  assert.deepEqual(dropped, { dryRun: false, dropped: 2, from: { [dead]: 2 }, deleted: 3, undeletable: {} });
  assert.deepEqual([await tools.offsets(dead, '--all'), await start()], [[3, 4], 3]);
  assert.deepEqual(await marks(), [`${dead}/0/4`]);

  await tools.ask('drop', dead, '--everything');
  assert.deepEqual([await tools.offsets(dead, '--all'), await start(), await marks()], [[], 5, []]);
});

test('drop deletes neither replayed letters nor other records', async () => {
  const [dead, mixed, source] = [
    await tools.createTopic('kept-dlt'),
    await tools.createTopic('mixed'),
    await tools.createTopic('source'),
  ];
  await tools.producer.send([
    connectLetter(dead, source, { reason: 'Replayed' }),
    connectLetter(dead, source, { reason: 'Dropped' }),
    connectLetter(mixed, source),
    { topic: mixed, key: null, value: Buffer.from('an order'), headers: {} },
    connectLetter(mixed, source),
  ]);
  assert.equal((await tools.replay(dead, '--reason', 'Replayed')).replayed, 1);
  assert.equal((await tools.askJson<{ deleted: number }>('drop', dead, '--everything')).deleted, 0);
  assert.equal((await tools.harness.read(dead)).length, 2);
  assert.equal((await tools.askJson<{ deleted: number }>('drop', dead, '--everything', '--all')).deleted, 2);

  const { stderr } = await tools.dlq('list', mixed);
  assert.equal(stderr, '1 records without error headers are not dead letters; not listed\n');
  const dropped = await tools.askJson<{ dropped: number; deleted: number }>('drop', mixed, '--everything');
  assert.deepEqual([dropped.dropped, dropped.deleted], [2, 1]);
  assert.deepEqual(
    (await tools.harness.read(mixed)).map(({ offset }) => offset),
    [1, 2],
  );
});

test('if records cannot be deleted, dropped letters are hidden and the reason is printed', async () => {
  const dead = await tools.createTopic('compact-dlt', 1, { 'cleanup.policy': 'compact' });
  await tools.producer.send([connectLetter(dead, 'x', { key: Buffer.from('k') })]);
  const { code, stderr } = await tools.dlq('drop', dead, '--everything');
  assert.equal(code, 0);
  assert.match(stderr, /compact-dlt: dropped letters are hidden but could not be deleted: .*policy/i);
  assert.deepEqual([(await tools.list(dead)).total, (await tools.list(dead, '--all')).total], [0, 1]);
});

test('a letter of a recreated topic is not mistaken for an earlier one', async () => {
  const [dead, source] = [await tools.createTopic('recreated-dlt'), await tools.createTopic('source')];
  await tools.producer.send([connectLetter(dead, source)]);
  assert.equal((await tools.replay(dead)).replayed, 1);
  await tools.harness.withAdmin(async (admin) => {
    await admin.deleteTopics([dead]);
    await eventually('the removal', async () => !(await admin.listTopics()).includes(dead));
    await admin.createTopics([{ topic: dead, partitions: 1, replicationFactor: -1 }]);
  });
  await eventually('a letter at the same offset', () =>
    tools.producer.send([connectLetter(dead, source)]).then(
      () => true,
      () => false,
    ),
  );
  assert.equal((await tools.list(dead)).total, 1);
});

test('letters with thousands of headers are replayed, and letters larger than the topic limit are skipped', async () => {
  const [dead, source] = [
    await tools.createTopic('heavy-dlt'),
    await tools.createTopic('source', 1, { 'max.message.bytes': '20000' }),
  ];
  const many = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, index) => [`h-${index}`, Buffer.from(String(index))] as const),
  );
  const random = Buffer.from(Array.from({ length: 40_000 }, () => Math.floor(Math.random() * 256)));
  await tools.producer.send([
    connectLetter(dead, source, { value: Buffer.alloc(200_000, 'x') }),
    connectLetter(dead, source, { value: random }),
    connectLetter(dead, await tools.createTopic('roomy'), {
      headers: { ...many, twice: Array.from({ length: 3_000 }, () => random.subarray(0, 2)) },
    }),
  ]);
  const { replayed, leftBecause } = await tools.replay(dead);
  assert.deepEqual([replayed, leftBecause], [2, { [`too large for topic ${source}`]: 1 }]);
  const shown = await tools.ask('show', dead, '0', '2');
  assert.match(shown, /^headers \(8007\)$/m);
  assert.match(shown, /… 7907 more; use --json to see all$/m);
  assert.equal((await tools.harness.read(source))[0]?.value?.length, 200_000);
});

test('tens of thousands of letters are listed, replayed and dropped', async () => {
  const [dead, source] = [await tools.createTopic('big-dlt', 2), await tools.createTopic('source', 2)];
  const count = 30_000;
  const value = Buffer.alloc(1_000, 'x');
  for (let sent = 0; sent < count; sent += 1_000)
    await tools.producer.send(
      Array.from({ length: 1_000 }, (_, index) =>
        connectLetter(dead, source, {
          reason: index % 10 === 0 ? 'Rare' : 'Often',
          value,
          partition: index % 2,
        }),
      ),
    );
  // A heap of 48 MB and fetches of 1 MB, far smaller than the letters.
  const bounded = {
    KAFKA_BROKERS: tools.harness.broker.bootstrap,
    NODE_OPTIONS: '--max-old-space-size=48',
    PARTITURA_FETCH_MAX_BYTES: '1000000',
  };
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await tools.cli.run(['dlq', ...args], bounded);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.match(
    await run('list', dead, '--limit', '5'),
    /^30000 dead letters: 27000 Often, 3000 Rare\n29995 older/m,
  );
  assert.equal(await run('replay', dead, '--reason', 'Rare'), `replayed 3000 (${source}: 3000), skipped 0\n`);
  assert.equal(await run('list', dead, '--summary'), '27000 dead letters: 27000 Often\n');
  assert.equal(
    await run('drop', dead, '--everything', '--all'),
    `dropped 30000 (${dead}: 30000), deleted 30000\n`,
  );
  assert.equal(await run('list', dead, '--all'), 'no dead letters\n');
  assert.equal((await tools.harness.read(source)).length, 3_000);
});

test('invalid arguments are refused with the expected values', async () => {
  await tools.refuse(
    ['list', 'nowhere-at-all'],
    /^partitura: INVALID_REQUEST: expected an existing topic, got 'nowhere-at-all'; dead-letter topics: .*\n$/,
  );
  await tools.refuse(
    ['drop', 'partitura.bindings', '--everything'],
    /expected a dead-letter topic, got 'partitura\.bindings'/,
  );
  await tools.refuse(
    ['list', '--since', 'yesterday'],
    /argument 'yesterday' is invalid\. Expected an ISO time such as /,
  );
  await tools.refuse(['list', '--since', '1h', '--until', '2h'], /--since: expected a time before --until/);
  await tools.refuse(
    ['show', tools.harness.topics.deadLetters('scale'), '99', '0'],
    /expected an existing partition, got 99\n$/,
  );
  await tools.refuse(['replay', '--max-replays', '0'], /Expected an integer from 1\.\n/);
});
