import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readStatuses } from '../../cluster/node-directory.js';
import { CommandLine } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';

const FORGET_MS = 5_000;
/** For listing only, to see everything that the topic still contains. */
const FOREVER_MS = 3_600_000;

const cli = new CommandLine({});
let harness: Harness;
before(async () => {
  harness = await Harness.start(['scale'], { nodeForgetMs: FORGET_MS });
});
after(async () => {
  await cli.killAll();
  await harness.close();
});

const onTopic = async (): Promise<string[]> =>
  (await readStatuses(harness.kafka, harness.config())).map(({ status }) => status.node);

async function listed(forgetMs: number): Promise<string[]> {
  const { code, stdout, stderr } = await cli.run(['nodes', '--json', '--brokers', harness.broker.bootstrap], {
    PARTITURA_NODE_FORGET_MS: String(forgetMs),
  });
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { node: string }[]).map(({ node }) => node);
}

async function examined(forgetMs: number): Promise<string> {
  const { stdout } = await cli.run(['doctor', '--json', '--brokers', harness.broker.bootstrap], {
    PARTITURA_NODE_FORGET_MS: String(forgetMs),
    PARTITURA_MODELS: harness.models,
  });
  return stdout;
}

test('a killed node disappears from the list, the doctor and then the topic; the others stay', async () => {
  const killed = await harness.nodeProcess({ nodeId: 'killed', nodeForgetMs: FOREVER_MS });
  const swept = await harness.nodeProcess({ nodeId: 'other', nodeForgetMs: FOREVER_MS });
  await eventually('both nodes are known', async () => (await onTopic()).length === 2);
  killed.kill('SIGKILL');
  await killed.exited;
  // Not removed from the topic yet: only listings leave it out.
  await eventually(
    'removed from the list',
    async () => !(await listed(FORGET_MS)).includes('killed'),
    60_000,
  );
  assert.deepEqual(await listed(FOREVER_MS), ['killed', 'other']);
  assert.match(await examined(FOREVER_MS), /killed/);
  assert.doesNotMatch(await examined(FORGET_MS), /killed/);
  await swept.stop();
  await harness.nodeProcess({ nodeId: 'sweeper' });
  await eventually('removed from the topic', async () => !(await onTopic()).includes('killed'), 60_000);
  assert.deepEqual(await listed(FOREVER_MS), ['sweeper']);
});
