import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../../local-cluster/ports.js';
import { startTestBroker } from '../support/broker.js';
import type { CommandLine } from '../support/command-line.js';
import { CommandLineFixture } from '../support/command-line-fixture.js';
import { eventually } from '../support/eventually.js';

const REQUEST = 'examples/digits/request.json';

let fixture: CommandLineFixture;
let cli: CommandLine;
before(async () => {
  fixture = await CommandLineFixture.create();
  ({ cli } = fixture);
});
after(() => fixture.close());

describe('an interrupted demo', () => {
  const interrupt = async (...args: string[]): Promise<[number | null, string]> => {
    const port = String(await freePort());
    const demo = cli.start(['demo', '--inflight', '1', '--broker-port', port, ...args]);
    await demo.printed(/starting 2 inference nodes/);
    await eventually(
      'some requests are sent',
      async () => {
        const { stdout } = await cli.run(['topics', '--brokers', `127.0.0.1:${port}`]);
        return Number(/digits\.requests +\d+ +(\d+)/.exec(stdout)?.[1]) > 20;
      },
      60_000,
    );
    const code = await demo.end('SIGINT');
    assert.equal(demo.stdout(), '');
    await eventually('no temporary folder is left', async () => (await fixture.leftovers()).length === 0);
    return [code, demo.stderr()];
  };

  test('exits immediately', async () => {
    assert.deepEqual(await interrupt(), [
      0,
      'starting Kafka …\nstarting 2 inference nodes and the gateway …\nstopping …\n',
    ]);
  });

  test('exits with a nonzero code if --exit was given and no report was printed', async () => {
    const [code, stderr] = await interrupt('--exit');
    assert.equal(code, 1);
    assert.match(stderr, /^partitura: expected a report, got SIGINT before it was complete$/m);
  });
});

describe('shutdown of up', () => {
  test('SIGINT stops it with exit code 0 and leaves nothing behind', async () => {
    const { ready, end } = await cli.up();
    assert.equal(await end('SIGINT'), 0);
    await fixture.assertNothingLeft(ready);
  });

  test('a signal during startup stops it, too', async () => {
    const starting = cli.start(['up', '--json', '--broker-port', String(await freePort())]);
    await starting.printed(/starting 2 inference nodes/);
    assert.equal(await starting.end('SIGTERM'), 0);
    assert.equal(starting.stdout(), '');
    assert.deepEqual(await fixture.leftovers(), []);
  });

  test('a killed broker is reported as an error and leaves nothing behind', async () => {
    const up = await cli.up();
    process.kill(await cli.brokerOf(up.pid), 'SIGKILL');
    assert.equal(await up.exitCode, 1);
    assert.match(up.stderr(), /^partitura: the broker ended with SIGKILL/m);
    await fixture.assertNothingLeft(up.ready);
  });

  test('a killed node is restarted with a message, and nothing is left behind in the end', async () => {
    const up = await cli.up();
    const [victim] = up.ready.nodes;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await up.printed(new RegExp(`^${victim?.node} ended with SIGKILL: .*; restarting it$`, 'm'));
    const brokers = { KAFKA_BROKERS: up.ready.brokers.join(',') };
    await eventually('a new node', async () => {
      const { stdout } = await cli.run(['nodes', '--json'], brokers);
      const nodes = JSON.parse(stdout) as { node: string; state: string }[];
      return nodes.filter(({ node, state }) => node !== victim?.node && state === 'READY').length === 2;
    });
    assert.equal(await up.end('SIGTERM'), 0);
    await fixture.assertNothingLeft(up.ready);
  });

  test('killed with SIGKILL, it leaves neither nodes nor broker nor data behind', async () => {
    const up = await cli.up();
    await up.end('SIGKILL');
    await fixture.assertNothingLeft(up.ready);
  });
});

describe('startup errors', () => {
  const refuse = async (args: string[], message: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await cli.run(args);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, message);
    assert.deepEqual(await fixture.leftovers(), []);
  };

  test('a repository without models, or with broken ones alone', async () => {
    await mkdir(join(fixture.folder, 'empty'));
    await mkdir(join(fixture.folder, 'broken/m/1'), { recursive: true });
    await writeFile(join(fixture.folder, 'broken/m/1/model.json'), 'not JSON');
    const up = ['up', '--broker-port', String(await freePort()), '--models'];
    const failed = 'partitura: a node ended with exit code 1 before it was ready';
    await refuse(
      [...up, join(fixture.folder, 'empty')],
      new RegExp(
        `^${failed}: MODEL_NOT_FOUND: model repository '.*/empty': expected at least one model`,
        'm',
      ),
    );
    await refuse(
      [...up, join(fixture.folder, 'broken')],
      new RegExp(`^${failed}: MODEL_NOT_FOUND: model repository '.*/broken': .*m/1: `, 'm'),
    );
    await refuse(
      [...up, join(fixture.folder, 'nowhere')],
      new RegExp(
        `^${failed}: INVALID_REQUEST: model repository: expected a readable folder, got '.*/nowhere'`,
        'm',
      ),
    );
  });

  test('an invalid value is refused under the name of its option before anything starts', async () => {
    await refuse(
      ['up', '--nodes', '0'],
      /^error: option '--nodes <count>' argument '0' is invalid\. Expected an integer from 1\.\n/,
    );
    await refuse(
      ['up', '--broker-port', '99999'],
      /argument '99999' is invalid\. Expected an integer from 1 to 65535\.\n/,
    );
    await refuse(
      ['up', '--partitions', 'x'],
      /^error: option '--partitions <value>' argument 'x' is invalid\. Expected a number\.\n/,
    );
    await refuse(
      ['node', '--engine', 'foo'],
      /^error: option '--engine <value>' argument 'foo' is invalid\. Expected one of "auto"\|"tensorflow"\|"wasm"\.\n/,
    );
    await refuse(['up', '--unknown', 'x'], /^error: unknown option '--unknown'\n/);
  });

  test('an unreachable cluster', async () => {
    await refuse(
      ['models', '--brokers', '127.0.0.1:1'],
      /^partitura: cannot connect to Kafka at 127\.0\.0\.1:1: .*ECONNREFUSED.*\n$/,
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
    assert.deepEqual(await fixture.leftovers(), []);
    const { code, stderr } = await cli.run(['predict', 'digits', '--file', REQUEST], {
      KAFKA_BROKERS: broker.bootstrap,
    });
    assert.equal(code, 0, stderr);
    assert.equal(await up.end('SIGTERM'), 0);
    assert.ok(!(await cli.isSilent(broker.bootstrap)), 'the broker keeps running');
  } finally {
    taken.close();
    await broker.stop();
  }
});
