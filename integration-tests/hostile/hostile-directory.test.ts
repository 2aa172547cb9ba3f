import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Outbox } from '../../kafka/sending/outbox.js';
import { encodeNodeStatus } from '../../schemas/framing/node-status.js';
import type { NodeStatus } from '../../schemas/generated.js';
import { CommandLine } from '../support/command-line.js';
import { Harness } from '../support/harness.js';

const RAW_CLIENTS = 5_000;
/** Less than a table of this many rows, each as wide as the longest name, would need. */
const HEAP = { NODE_OPTIONS: '--max-old-space-size=512' };
// eslint-disable-next-line no-control-regex
const COMMANDS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

const cli = new CommandLine({});
let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale']);
  const node = await harness.node({ nodeId: 'the-node' });
  const names = Array.from({ length: RAW_CLIENTS }, (_, index) => `rawClient-${index}`);
  await publish([
    status('x'.repeat(400_000), node.status()),
    { ...status('huge', node.status()), host: 'h'.repeat(700_000) },
    status('\u001b[2J\u009b31m\u202eedon', node.status()),
    {
      ...status('skewed', node.status()),
      beatAt: 9e15,
      startedAt: -9e15,
    },
    { ...status('silent since ever', node.status()), beatAt: -9e15 },
    ...names.map((name) => status(name, node.status())),
  ]);
});
after(async () => {
  await cli.killAll();
  await harness.close();
});

const status = (node: string, like: NodeStatus): NodeStatus => ({ ...like, node });

async function publish(statuses: readonly NodeStatus[]): Promise<void> {
  const producer = harness.kafka.producer();
  await producer.connect();
  const outbox = new Outbox(producer);
  const failures: Error[] = [];
  for (const [index, one] of statuses.entries())
    outbox.push(
      {
        topic: harness.topics.nodes,
        key: Buffer.from(`key-${index}`),
        value: encodeNodeStatus(one),
        headers: {},
      },
      { delivered: () => undefined, failed: (error) => failures.push(error) },
    );
  await outbox.settled();
  await producer.close();
  assert.deepEqual(failures, []);
}

test('nodes are listed regardless of other records on their topic, in bounded memory and as printable text', async () => {
  for (const flags of [[], ['--json']]) {
    const { code, stdout, stderr } = await cli.run(
      ['nodes', '--brokers', harness.broker.bootstrap, ...flags],
      HEAP,
    );
    assert.equal(code, 0, stderr.slice(-2_000));
    assert.match(stdout, /the-node/);
    assert.match(stdout, /rawClient-4999/);
    assert.match(stderr, /2 node statuses ignored/);
    assert.ok(stdout.length < 50_000_000);
    assert.doesNotMatch(stdout, COMMANDS);
  }
});
