import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../../local-cluster/ports.js';
import type { ModelVersionStatus } from '../../schemas/generated.js';
import type { CommandLine, Ready } from '../support/command-line.js';
import { CommandLineFixture } from '../support/command-line-fixture.js';

const REQUEST = 'examples/digits/request.json';
/** A request with the image of a zero. */
const ZERO = JSON.stringify(Array.from({ length: 64 }, () => 0));

let fixture: CommandLineFixture;
let cli: CommandLine;
before(async () => {
  fixture = await CommandLineFixture.create();
  ({ cli } = fixture);
});
after(() => fixture.close());

describe('demo --exit', () => {
  test('reports accuracy, throughput, latency, batches and answers by node, and exits with 0', async () => {
    const { code, stdout, stderr } = await cli.run([
      'demo',
      '--exit',
      '--broker-port',
      String(await freePort()),
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^accuracy +97\.78 % on the 360 held-out digits/m);
    assert.match(stdout, /^throughput +[\d,]+ requests\/s \(1,797 in [\d.]+ s\)$/m);
    assert.match(stdout, /^latency +p50 [\d.]+ ms, p99 [\d.]+ ms$/m);
    assert.match(stdout, /^batches +[\d.]+ rows on average$/m);
    assert.equal(stdout.match(/^answered by +node-\w+: [\d,]+$/gm)?.length, 2, stdout);
    assert.deepEqual(await fixture.leftovers(), []);
  });

  test('prints the report as JSON', async () => {
    const { code, stdout, stderr } = await cli.run([
      'demo',
      '--exit',
      '--json',
      '--broker-port',
      String(await freePort()),
    ]);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as Record<string, number> & {
      byNode: Record<string, number>;
      failures: string[];
    };
    assert.deepEqual(
      [report['requests'], report['heldBackRows'], report['heldBackCorrect']],
      [1797, 360, 352],
    );
    assert.deepEqual(report.failures, []);
    for (const name of ['seconds', 'p50Ms', 'p99Ms', 'meanBatchRows'])
      assert.ok((report[name] ?? 0) > 0, name);
    const counts = Object.values(report.byNode);
    assert.equal(counts.length, 2);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      1797,
    );
  });
});

describe('with a running cluster', () => {
  let ready: Ready;
  let end: () => Promise<number | null>;
  const ask = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli.run([...args, '--brokers', ready.brokers.join(',')]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const askJson = async <T>(...args: string[]): Promise<T> => JSON.parse(await ask(...args, '--json')) as T;
  before(async () => {
    const up = await cli.up();
    ready = up.ready;
    end = () => up.end('SIGTERM');
  });
  after(async () => {
    assert.equal(await end(), 0);
    await fixture.assertNothingLeft(ready);
  });

  test('the ready line contains every address', () => {
    assert.match(ready.brokers.join(), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(ready.models, ['digits']);
    assert.equal(ready.nodes.length, 2);
    for (const { health } of ready.nodes) assert.match(health, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('predict answers a file', async () => {
    interface Answer {
      readonly model: string;
      readonly version: string;
      readonly outputs: { name: string; datatype: string; shape: number[]; data: number[] }[];
    }
    const { model, version, outputs } = await askJson<Answer>('predict', 'digits', '--file', REQUEST);
    const [output] = outputs;
    assert.deepEqual(
      [model, version, output?.name, output?.datatype, output?.shape],
      ['digits', '1', 'probabilities', 'FP32', [1, 10]],
    );
    assert.ok((output?.data[0] ?? 0) > 0.99);
    const text = await ask('predict', 'digits', '--file', REQUEST);
    assert.match(
      text,
      /^digits version 1 answered by node-\w+ \(batch of 1, computed in \d+ µs\)\nprobabilities FP32 \[1,10\]: 0\.9\d+ /,
    );
  });

  test('predict answers values from the command line', async () => {
    const { outputs } = await askJson<{ outputs: { data: number[] }[] }>(
      'predict',
      'digits',
      '--input',
      `pixels=[${ZERO},${ZERO}]`,
    );
    const probabilities = outputs[0]?.data ?? [];
    assert.equal(probabilities.length, 20);
    assert.ok(Math.abs(probabilities.reduce((sum, value) => sum + value, 0) - 2) < 1e-5);
    assert.match(
      await ask('predict', 'digits', '--input', `pixels=[${ZERO}]`),
      /^probabilities FP32 \[1,10\]: /m,
    );
  });

  test('predict reports errors and exits with 1', async () => {
    const wrong: [string[], RegExp][] = [
      [
        ['--input', 'pixels=[[1,2,3]]'],
        /^partitura: SHAPE_MISMATCH: input 'pixels': expected .*\[-1,64\], got .*\[1,3\]\n$/,
      ],
      [
        ['--input', 'pixels=1'],
        /^partitura: INVALID_REQUEST: --input: expected name=\[\[…\]\] with a JSON list, got 'pixels=1'\n$/,
      ],
      [
        ['--file', '/nowhere'],
        /^partitura: INVALID_REQUEST: --file: expected a readable file, got '\/nowhere'\n$/,
      ],
      [[], /^partitura: INVALID_REQUEST: predict: expected --file .* or --input .*\n$/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await cli.run([
        'predict',
        'digits',
        ...args,
        '--brokers',
        ready.brokers.join(','),
      ]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
    }
  });

  test('models, nodes and topics list the cluster', async () => {
    const names = ready.nodes.map(({ node }) => node).sort();
    const models = await askJson<
      (Pick<ModelVersionStatus, 'model' | 'version' | 'state' | 'backend' | 'measured'> & {
        node: string;
      })[]
    >('models');
    assert.deepEqual(
      models.map(({ model, version, state, backend, node }) => [model, version, state, backend, node]),
      names.map((name) => ['digits', '1', 'AVAILABLE', 'tensorflow', name]),
    );
    assert.ok(
      models.every(({ measured }) => measured && measured.bestBatchRows >= 1 && measured.microsPerRow > 0),
    );
    const nodes = await askJson<{ node: string; state: string; alive: boolean }[]>('nodes');
    assert.deepEqual(
      nodes.map(({ node, state, alive }) => [node, state, alive]).sort(),
      names.map((name) => [name, 'READY', true]),
    );
    const topics =
      await askJson<{ topic: string; partitions: number; records: number; lag: number | null }[]>('topics');
    const requests = topics.find(({ topic }) => topic === 'partitura.digits.requests');
    assert.equal(requests?.partitions, 8);
    assert.ok((requests?.records ?? 0) > 0);
    for (const topic of ['partitura.digits.replies', 'partitura.digits.requests-dlt', 'partitura.nodes'])
      assert.ok(
        topics.some((found) => found.topic === topic),
        topic,
      );
  });

  test('status shows the cluster on one screen, without what is internal', async () => {
    const status = await askJson<{
      nodes: { node: string }[];
      models: { model: string; nodes: number }[];
      problems: { level: string; message: string }[];
    }>('status');
    assert.equal(status.nodes.length, ready.nodes.length);
    assert.deepEqual(
      status.models.map(({ model, nodes }) => [model, nodes]),
      [['digits', ready.nodes.length]],
    );
    assert.deepEqual(
      status.problems.filter(({ level }) => level === 'problem'),
      [],
    );
    const text = await ask('status');
    assert.match(text, /^MODEL +VERSIONS +NODES +WAITING +ROWS\/S +EXPECTED WAIT\ndigits +1 /m);
  });

  test('models show prints the signature, files and runtime of a model on all nodes', async () => {
    const text = await ask('models', 'show', 'digits');
    const names = ready.nodes.map(({ node }) => node).sort();
    assert.match(text, new RegExp(`^digits version 1\\n  nodes {5}${names.join(', ')}\\n`));
    assert.match(text, /^ {2}input +pixels +FP32 +\[-1, 64\]$/m);
    assert.match(text, /^ {2}output +probabilities +FP32 +\[-1, 10\]$/m);
    for (const name of names)
      assert.match(text, new RegExp(`^  profile   ${name}: [\\d.]+ µs for one row`, 'm'));
    const facts = await askJson<{ versions: { differences: string[]; nodes: unknown[] }[] }>(
      'models',
      'show',
      'digits',
    );
    assert.deepEqual(
      facts.versions.map(({ differences, nodes }) => [differences, nodes.length]),
      [[[], 2]],
    );
  });

  test('models, nodes and topics print tables', async () => {
    for (const { node } of ready.nodes) {
      assert.match(
        await ask('models'),
        new RegExp(
          `^digits +1 +AVAILABLE +tensorflow( +[\\d.]+){3} +(inline|\\d.*) +${node} +ordered +yes: rows are independent: .*$`,
          'm',
        ),
      );
      assert.match(await ask('nodes'), new RegExp(`^${node} +\\S+ +READY +digits/1 +`, 'm'));
    }
    assert.match(
      await ask('topics'),
      /^TOPIC +PARTITIONS +RECORDS +LAG\n(.*\n)*partitura\.digits\.requests +8 +\d+ +\d+$/m,
    );
  });

  test('a port in use is a one-line error, and nothing is started', async () => {
    const port = ready.brokers[0]?.split(':')[1] ?? '';
    const before = await fixture.leftovers();
    const { code, stdout, stderr } = await cli.run(['up', '--broker-port', port]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `starting Kafka …\npartitura: port ${port} on 127.0.0.1 is in use by another program; choose another with --broker-port\n`,
    );
    assert.deepEqual(await fixture.leftovers(), before);
  });
});
