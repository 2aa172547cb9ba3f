import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { InferenceNode } from '../../consumers/node/node.js';
import { startNode } from '../../consumers/node/start-node.js';
import { checkConfig } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { readTopic } from '../../kafka/reading/read-topic.js';
import { createLogger } from '../../core/log.js';
import { findKafkaJars } from '../../local-cluster/java-launcher.js';
import { headerText } from '../../schemas/framing/framing.js';
import { eventually } from '../support/eventually.js';
import { CHOSEN_CLIENT } from '../support/kafka-client.js';
import { startSecuredBroker, type SecuredBroker } from '../support/secured-broker.js';
import { floats, RawClient } from '../support/raw-client.js';

const MODELS = fileURLToPath(new URL('../../../examples/models', import.meta.url));
const REQUESTS = 'partitura.digits.requests';
const OPEN = 'open.replies';
const READ_ONLY = 'read-only.replies';
const HIDDEN = 'hidden.replies';
const quiet = createLogger('test', 'silent');
const skip = findKafkaJars() === undefined ? 'the jars of the embedded broker are missing' : false;

let broker: SecuredBroker;
let kafka: KafkaClient;
let node: InferenceNode | undefined;
let rawClient: RawClient | undefined;

before(async () => {
  if (skip) return;
  broker = await startSecuredBroker();
  kafka = createKafkaClient(checkConfig({ ...CHOSEN_CLIENT, brokers: broker.bootstrap }), 'test', quiet);
  await broker.grant([
    {
      type: 'TOPIC',
      name: 'partitura.',
      pattern: 'PREFIXED',
      operations: ['READ', 'WRITE', 'CREATE', 'DESCRIBE_CONFIGS'],
    },
    { type: 'GROUP', name: 'partitura.', pattern: 'PREFIXED', operations: ['READ'] },
    { type: 'TOPIC', name: OPEN, operations: ['WRITE'] },
    { type: 'TOPIC', name: READ_ONLY, operations: ['DESCRIBE'] },
  ]);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics(
    [READ_ONLY, HIDDEN].map((topic) => ({ topic, partitions: 1, replicationFactor: 1 })),
  );
  await admin.close();
  rawClient = await RawClient.start(kafka, OPEN);
  const config = checkConfig({ ...CHOSEN_CLIENT, ...broker.guest, models: MODELS, partitions: 1 });
  node = await startNode(config, createKafkaClient(config, 'node', quiet), quiet);
});

after(async () => {
  await node?.close();
  await rawClient?.close();
  await broker?.stop();
});

const request = { model: 'digits', inputs: [floats('pixels', [1, 64], new Array<number>(64).fill(1))] };

function deadLetters(): Promise<KafkaRecord[]> {
  return readTopic(kafka, 'partitura.digits.requests-dlt', { limitMs: 30_000, fetchMaxBytes: 1024 * 1024 });
}

/** Sends requests with a forbidden reply topic between ordinary ones, all in one partition. */
async function askFor(replyTopic: string): Promise<KafkaRecord[]> {
  assert.ok(rawClient);
  const known = (await deadLetters()).length;
  const ordinary: string[] = [];
  for (let count = 0; count < 5; count++) {
    rawClient.request(REQUESTS, request, { headers: { 'reply-to': Buffer.from(replyTopic) } });
    ordinary.push(rawClient.request(REQUESTS, request));
  }
  await rawClient.answered(ordinary, 30_000);
  await eventually('five dead letters', async () => (await deadLetters()).length === known + 5);
  return (await deadLetters()).slice(known);
}

async function assertServing(): Promise<void> {
  assert.ok(node);
  assert.equal(await Promise.race([node.failed, Promise.resolve('serving')]), 'serving');
}

for (const [topic, what] of [
  [HIDDEN, 'that the node is not authorized to describe'],
  ['not-there.replies', 'that does not exist, which an authorizer reports like a forbidden one,'],
  [READ_ONLY, 'that the node is authorized to describe but not to write'],
] as const)
  test(
    `a reply topic ${what} turns its own requests into dead letters and delays no others`,
    { skip },
    async () => {
      for (const letter of await askFor(topic)) {
        const message = headerText(letter.headers, '__connect.errors.exception.message') ?? '';
        assert.ok(message.includes(topic), message);
        assert.equal(headerText(letter.headers, '__connect.errors.stage'), 'reply');
      }
      await assertServing();
    },
  );
