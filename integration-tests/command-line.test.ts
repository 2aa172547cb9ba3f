import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../deploy/local/ports.js';
import type { ModelVersionStatus } from '../schemas/generated.js';
import { startTestBroker } from './support/broker.js';
import { CommandLine, type Ready } from './support/command-line.js';
import { eventually } from './support/eventually.js';

const REQUEST = 'examples/digits/request.json';
/** The request is a zero. */
const ZERO = JSON.stringify(Array.from({ length: 64 }, () => 0));

let folder: string;
let cli: CommandLine;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'command-line-test-'));
  await mkdir(join(folder, 'tmp'));
  cli = new CommandLine({ TMPDIR: join(folder, 'tmp') });
});
after(async () => {
  await cli.killAll();
  await rm(folder, { recursive: true });
});

/** Commands put their temporary data where these tests can see that nothing is left. */
const leftovers = (): Promise<string[]> =>
  readdir(join(folder, 'tmp')).then((names) => names.filter((name) => name.startsWith('partitura')));

async function assertNothingLeft(ready: Ready): Promise<void> {
  await eventually('every process of the cluster has ended', () =>
    ready.nodes.every(({ pid }) => !cli.isAlive(pid)),
  );
  await eventually('nothing listens at the broker’s port', () => cli.isSilent(ready.brokers[0] ?? ''));
  await eventually('no temporary folder is left', async () => (await leftovers()).length === 0);
}

describe('demo --exit', () => {
  test('reports accuracy, throughput, latency, batches and who answered, and returns 0', async () => {
    const { code, stdout, stderr } = await cli.run([
      'demo',
      '--exit',
      '--broker-port',
      String(await freePort()),
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^accuracy +97\.78 % on the 360 digits/m);
    assert.match(stdout, /^throughput +[\d,]+ requests\/s \(1,797 in [\d.]+ s\)$/m);
    assert.match(stdout, /^latency +p50 [\d.]+ ms, p99 [\d.]+ ms$/m);
    assert.match(stdout, /^batches +[\d.]+ rows on average$/m);
    assert.equal(stdout.match(/^answered by +node-\w+: [\d,]+$/gm)?.length, 2, stdout);
    assert.deepEqual(await leftovers(), []);
  });

  test('reports the same in JSON', async () => {
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

describe('demo, interrupted in the middle', () => {
  const interrupt = async (...args: string[]): Promise<[number | null, string]> => {
    const port = String(await freePort());
    const demo = cli.start(['demo', '--inflight', '1', '--broker-port', port, ...args]);
    await demo.said(/starting 2 inference nodes/);
    await eventually('some requests are sent', async () => {
      const { stdout } = await cli.run(['topics', '--brokers', `127.0.0.1:${port}`]);
      return Number(/digits\.requests +\d+ +(\d+)/.exec(stdout)?.[1]) > 20;
    });
    const code = await demo.end('SIGINT');
    assert.equal(demo.stdout(), '');
    await eventually('no temporary folder is left', async () => (await leftovers()).length === 0);
    return [code, demo.stderr()];
  };

  test('ends at once', async () => {
    assert.deepEqual(await interrupt(), [0, 'starting Kafka …\nstarting 2 inference nodes …\nstopping …\n']);
  });

  test('does not return 0 where a report was all that was asked for', async () => {
    const [code, stderr] = await interrupt('--exit');
    assert.equal(code, 1);
    assert.match(stderr, /^partitura: expected a report, got SIGINT before it was done$/m);
  });
});

describe('against a running cluster', () => {
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
    await assertNothingLeft(ready);
  });

  test('the ready line has every address', () => {
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

  test('predict answers values of the command line', async () => {
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

  test('predict says what is wrong and returns 1', async () => {
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

  test('models, nodes and topics tell what there is', async () => {
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

  test('models, nodes and topics are tables for people', async () => {
    for (const { node } of ready.nodes) {
      assert.match(
        await ask('models'),
        new RegExp(`^digits +1 +AVAILABLE +tensorflow( +[\\d.]+){3} +(inline|\\d.*) +${node}$`, 'm'),
      );
      assert.match(await ask('nodes'), new RegExp(`^${node} +\\S+ +READY +digits/1 +`, 'm'));
    }
    assert.match(
      await ask('topics'),
      /^TOPIC +PARTITIONS +RECORDS +LAG\n(.*\n)*partitura\.digits\.requests +8 +\d+ +\d+$/m,
    );
  });

  test('a port in use is one sentence, and nothing is started', async () => {
    const port = ready.brokers[0]?.split(':')[1] ?? '';
    const before = await leftovers();
    const { code, stdout, stderr } = await cli.run(['up', '--broker-port', port]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.equal(
      stderr,
      `starting Kafka …\npartitura: port ${port} on 127.0.0.1 is in use by another program; choose another with --broker-port\n`,
    );
    assert.deepEqual(await leftovers(), before);
  });
});

describe('the end of up', () => {
  test('SIGINT ends it with 0, and nothing is left', async () => {
    const { ready, end } = await cli.up();
    assert.equal(await end('SIGINT'), 0);
    await assertNothingLeft(ready);
  });

  test('a signal in the middle of the start ends it too', async () => {
    const starting = cli.start(['up', '--json', '--broker-port', String(await freePort())]);
    await starting.said(/starting 2 inference nodes/);
    assert.equal(await starting.end('SIGTERM'), 0);
    assert.equal(starting.stdout(), '');
    assert.deepEqual(await leftovers(), []);
  });

  test('a killed broker is an error that says so, and nothing is left', async () => {
    const up = await cli.up();
    process.kill(await cli.brokerOf(up.pid), 'SIGKILL');
    assert.equal(await up.exitCode, 1);
    assert.match(up.stderr(), /^partitura: the broker ended with SIGKILL/m);
    await assertNothingLeft(up.ready);
  });

  test('a killed node is started again, which is said, and nothing is left in the end', async () => {
    const up = await cli.up();
    const [victim] = up.ready.nodes;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await up.said(new RegExp(`^${victim?.node} ended with SIGKILL: .*; restarting it$`, 'm'));
    const brokers = { KAFKA_BROKERS: up.ready.brokers.join(',') };
    await eventually('a node more', async () => {
      const { stdout } = await cli.run(['nodes', '--json'], brokers);
      const nodes = JSON.parse(stdout) as { node: string; state: string }[];
      return nodes.filter(({ node, state }) => node !== victim?.node && state === 'READY').length === 2;
    });
    assert.equal(await up.end('SIGTERM'), 0);
    await assertNothingLeft(up.ready);
  });

  test('killed with SIGKILL it takes its nodes, its broker and their data with it', async () => {
    const up = await cli.up();
    await up.end('SIGKILL');
    await assertNothingLeft(up.ready);
  });
});

describe('what can not be started', () => {
  const refuse = async (args: string[], message: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await cli.run(args);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, message);
    assert.deepEqual(await leftovers(), []);
  };

  test('a repository without models, or with broken ones alone', async () => {
    await mkdir(join(folder, 'empty'));
    await mkdir(join(folder, 'broken/m/1'), { recursive: true });
    await writeFile(join(folder, 'broken/m/1/model.json'), 'not JSON');
    const up = ['up', '--broker-port', String(await freePort()), '--models'];
    const failed = 'partitura: a node ended with exit code 1 before it served';
    await refuse(
      [...up, join(folder, 'empty')],
      new RegExp(
        `^${failed}: MODEL_NOT_FOUND: model repository '.*/empty': expected at least one model`,
        'm',
      ),
    );
    await refuse(
      [...up, join(folder, 'broken')],
      new RegExp(`^${failed}: MODEL_NOT_FOUND: model repository '.*/broken': .*m/1: `, 'm'),
    );
    await refuse(
      [...up, join(folder, 'nowhere')],
      new RegExp(
        `^${failed}: INVALID_REQUEST: model repository: expected a readable folder, got '.*/nowhere'`,
        'm',
      ),
    );
  });

  test('a wrong value is refused in the name of its option, before anything starts', async () => {
    await refuse(
      ['up', '--nodes', '0'],
      /^error: option '--nodes <count>' argument '0' is invalid\. Expected a whole number from 1\.\n/,
    );
    await refuse(
      ['up', '--broker-port', '99999'],
      /argument '99999' is invalid\. Expected a whole number from 1 to 65535\.\n/,
    );
    await refuse(
      ['up', '--partitions', 'x'],
      /^error: option '--partitions <value>' argument 'x' is invalid\. Expected a number\.\n/,
    );
    await refuse(
      ['node', '--engine', 'foo'],
      /^error: option '--engine <value>' argument 'foo' is invalid\. Expected one of "auto"\|"tensorflow"\|"wasm"\.\n/,
    );
    await refuse(['up', '--colour', 'red'], /^error: unknown option '--colour'\n/);
  });

  test('a cluster that is not there', async () => {
    await refuse(
      ['models', '--brokers', '127.0.0.1:1'],
      /^partitura: Kafka at 127\.0\.0\.1:1 can't be used: .*\n$/,
    );
  });
});

test('with KAFKA_BROKERS, up uses that cluster and starts no broker', async () => {
  const broker = await startTestBroker();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  try {
    const up = await cli.up({ KAFKA_BROKERS: broker.bootstrap }, [
      '--nodes',
      '1',
      '--broker-port',
      String(port),
    ]);
    assert.deepEqual(up.ready.brokers, [broker.bootstrap]);
    assert.deepEqual(await leftovers(), []);
    const { code, stderr } = await cli.run(['predict', 'digits', '--file', REQUEST], {
      KAFKA_BROKERS: broker.bootstrap,
    });
    assert.equal(code, 0, stderr);
    assert.equal(await up.end('SIGTERM'), 0);
    assert.ok(!(await cli.isSilent(broker.bootstrap)), 'the broker is not ours to end');
  } finally {
    taken.close();
    await broker.stop();
  }
});
