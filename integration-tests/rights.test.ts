import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startNode, type InferenceNode } from '../consumers/node.js';
import { aclsFor, type Acl, type AclScope } from '../core/acls.js';
import { checkConfig, toEnvironment, type Config, type ConfigInput } from '../core/config.js';
import { createKafkaClient } from '../core/kafka/client.js';
import type { KafkaClient } from '../core/kafka/port.js';
import { readTopic } from '../core/kafka/read-topic.js';
import { createLogger } from '../core/log.js';
import { clusterTopics, modelTopics } from '../core/partitura-topics.js';
import { topicNames } from '../core/topics.js';
import { findKafkaJars } from '../deploy/local/java-launcher.js';
import { connect } from '../producers/index.js';
import { CommandLine } from './support/command-line.js';
import { eventually } from './support/eventually.js';
import { CHOSEN_CLIENT } from './support/kafka-client.js';
import { ROOT } from './support/programs.js';
import { LoginBroker } from './support/login-broker.js';
import { Stranger } from './support/stranger.js';

const skip = findKafkaJars() === undefined ? "the embedded broker's jars are not here" : false;
const quiet = createLogger('rights', 'silent');
const names = topicNames('partitura');
const LETTERS = names.deadLetters('scale');
const OTHER = 'sum';

let models: string;
let broker: LoginBroker;
let all: KafkaClient;
let stranger: Stranger;

const common = (): ConfigInput => ({ ...CHOSEN_CLIENT, models, partitions: 2, engineThreads: 1 });
const scope = (): AclScope => ({
  prefix: 'partitura',
  models: ['scale', OTHER],
  replyTopics: [stranger.replyTopic],
  bindings: [],
  kafkaClient: checkConfig(CHOSEN_CLIENT).kafkaClient,
  createsTopics: false,
});

before(async () => {
  if (skip) return;
  models = await mkdtemp(join(tmpdir(), 'partitura-models-'));
  for (const model of ['scale', OTHER])
    await cp(join(ROOT, 'integration-tests/fixtures/models', model), join(models, model), {
      recursive: true,
    });
  broker = await LoginBroker.start();
  const config = checkConfig({ ...common(), brokers: broker.broker.bootstrap });
  all = createKafkaClient(config, 'all', quiet);
  const admin = all.admin();
  await admin.connect();
  await admin.createTopics([
    ...clusterTopics(config),
    ...['scale', OTHER].flatMap((model) => modelTopics(model, config)),
  ]);
  await admin.close();
  stranger = await Stranger.start(all, 'rights.replies');
  for (const user of ['node', 'client', 'operator', 'reader']) await broker.setPassword(user);
});
after(async () => {
  await stranger?.close();
  await broker?.stop();
  if (models) await rm(models, { recursive: true });
});

/** A node that is run by a user, and everything that is heard of it. */
interface Heard {
  /** Undefined when it did not start. */
  readonly node: InferenceNode | undefined;
  readonly said: () => string;
}

async function runNode(overrides: ConfigInput = {}): Promise<Heard> {
  const config: Config = checkConfig({
    ...common(),
    ...broker.login('node'),
    sessionTimeoutMs: 6_000,
    drainTimeoutMs: 3_000,
    ...overrides,
  });
  let said = '';
  const log = pino({ level: 'warn' }, { write: (line: string) => void (said += line) });
  try {
    const node = await startNode(config, createKafkaClient(config, 'node', log), log);
    void node.failed.then((error) => (said += error.message));
    return { node, said: () => said };
  } catch (error) {
    const { message } = error as Error;
    return { node: undefined, said: () => said + message };
  }
}

const row = Buffer.alloc(16);
/** A request to each reply topic, and a record that is none. @returns their correlation ids */
async function sendOfEachKind(): Promise<string[]> {
  const requests = names.requests('scale');
  const request = { model: 'scale', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: row }] };
  const to = (topic: string) => ({ headers: { 'reply-to': Buffer.from(topic) } });
  const sent = [
    stranger.request(requests, request),
    stranger.request(requests, request, { wantsReply: false }),
    stranger.request(requests, request, to(names.clientReplies)),
    stranger.send(requests, Buffer.from('none'), { wantsReply: false }),
  ];
  await stranger.sent();
  return sent;
}

async function outcomes(): Promise<Set<string>> {
  const topics = [
    stranger.replyTopic,
    names.replies('scale'),
    names.clientReplies,
    names.deadLetters('scale'),
  ];
  const read = await Promise.all(
    topics.map((topic) => readTopic(all, topic, { limitMs: 30_000, fetchMaxBytes: 1e6 })),
  );
  return new Set(read.flat().map(({ headers }) => String(headers['correlation-id'])));
}

const allHaveOutcomes = (sent: readonly string[]) => async (): Promise<boolean> => {
  const found = await outcomes();
  return sent.every((id) => found.has(id));
};

async function deadLetterReasons(): Promise<string> {
  const letters = await readTopic(all, names.deadLetters('scale'), { limitMs: 30_000, fetchMaxBytes: 1e6 });
  return letters.map(({ headers }) => String(headers['__connect.errors.exception.message'])).join('\n');
}

test('a node with exactly its rights does all its work and complains of nothing', { skip }, async () => {
  await broker.allow('node', aclsFor('node-with-bindings', scope()));
  const { node, said } = await runNode();
  assert.ok(node, said());
  const sent = await sendOfEachKind();
  await eventually('every record has its outcome', allHaveOutcomes(sent));
  await node.close();
  const complaints = said()
    .split('\n')
    .filter((line) => line !== '' && !line.includes('dead letter'));
  assert.deepEqual(complaints, []);
});

test(
  'a node that lacks any one right says which, serves what it can, and loses nothing',
  { skip },
  async () => {
    const rights = aclsFor('node-with-bindings', scope());
    for (const missing of rights.filter(({ name }) => !name.includes(OTHER))) {
      await broker.allow(
        'node',
        rights.filter((acl) => acl !== missing),
      );
      const sent = await sendOfEachKind();
      const heard = await runNode();
      const right = `${missing.operation} on ${missing.resource} ${missing.name}`;
      await eventually(`it names ${right}:\n${heard.said()}`, async () =>
        [heard.said(), await deadLetterReasons()].some((text) => text.includes(right)),
      );
      if (heard.node && !heard.said().includes('fatal')) {
        const { partitions } = heard.node.status();
        assert.ok(
          partitions.some(({ topic }) => topic === names.requests(OTHER)),
          `${OTHER} is served without ${right}`,
        );
      }
      await heard.node?.close();
      await broker.allow('node', rights);
      const { node, said } = await runNode();
      assert.ok(node, said());
      await eventually(`nothing was lost without ${right}`, allHaveOutcomes(sent));
      await node.close();
    }
  },
);

test(
  'a model whose topics may not be created does not keep the others from being served',
  { skip },
  async () => {
    await broker.allow('node', aclsFor('node', { ...scope(), models: [OTHER] }));
    const { node, said } = await runNode();
    assert.ok(node, said());
    assert.ok(node.status().partitions.every(({ topic }) => topic === names.requests(OTHER)));
    assert.match(said(), /model cannot be served/);
    await node.close();
  },
);

test('a client has what it needs, and names what it lacks', { skip }, async () => {
  await broker.allow('node', aclsFor('node', scope()));
  const { node, said } = await runNode();
  assert.ok(node, said());
  const rights = aclsFor('client', { ...scope(), models: ['scale'] });
  const options = { ...common(), ...broker.login('client'), timeoutMs: 20_000 };
  const ask = async (): Promise<void> => {
    const client = await connect(options, quiet);
    try {
      await client.predict('scale', { x: [[1, 2, 3, 4]] });
    } finally {
      await client.close();
    }
  };
  await broker.allow('client', rights);
  await ask();
  for (const missing of rights) {
    await broker.allow(
      'client',
      rights.filter((acl) => acl !== missing),
    );
    const resource = missing.isPrefix ? 'its group' : `${missing.resource} ${missing.name}`;
    await assert.rejects(
      ask(),
      new RegExp(`needs ${missing.operation} on (${resource}|a topic of requests)`),
      JSON.stringify(missing),
    );
  }
  await node.close();
});

/** Commands of a role: with all of its rights each succeeds, without any one of them at least one does not. */
const LOOKS = [['nodes'], ['models'], ['topics'], ['bind', 'list'], ['dlq', 'list'], ['doctor', '--json']];
const COMMANDS: Readonly<Record<string, readonly string[][]>> = {
  'read-only': LOOKS,
  operator: [
    ...LOOKS,
    ['dlq', 'replay', LETTERS, '--reason', 'MODEL_FAILED'],
    ['dlq', 'drop', LETTERS, '--everything'],
    ['bind', 'remove', 'none'],
  ],
};

for (const [role, user] of [
  ['read-only', 'reader'],
  ['operator', 'operator'],
] as const)
  test(`${role}: the commands work with exactly the rights of the role`, { skip }, async () => {
    await broker.allow('node', aclsFor('node', scope()));
    const { node, said } = await runNode();
    assert.ok(node, said());
    const lines = new CommandLine(toEnvironment(checkConfig({ ...CHOSEN_CLIENT, ...broker.login(user) })));
    const rights: readonly Acl[] = aclsFor(role, scope());
    const attempt = async (): Promise<string[]> => {
      const failed: string[] = [];
      await eventually('there is a dead letter', allHaveOutcomes(await sendOfEachKind()));
      for (const command of COMMANDS[role] ?? []) {
        const { code, stdout, stderr } = await lines.run(command);
        if (/not.?authori[sz]ed|AUTHORIZATION|may not be|can't be seen/i.test(stdout + stderr))
          failed.push(stdout + stderr);
        else if (code !== 0 && !/there are problems|expected one of none/.test(stderr)) failed.push(stderr);
      }
      return failed;
    };
    await broker.allow(user, rights);
    assert.deepEqual(await attempt(), []);
    for (const missing of rights) {
      await broker.allow(
        user,
        rights.filter((acl) => acl !== missing),
      );
      assert.notDeepEqual(await attempt(), [], `nothing is said of ${JSON.stringify(missing)}`);
    }
    await lines.killAll();
    await node.close();
  });
