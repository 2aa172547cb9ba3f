import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import type { InferenceNode } from '../../consumers/node/node.js';
import { startNode } from '../../consumers/node/start-node.js';
import { checkConfig, type ConfigInput } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaError } from '../../kafka/port.js';
import { createLogger } from '../../core/log.js';
import { startLocalBroker, type LocalBroker } from '../../local-cluster/broker.js';
import { findKafkaJars } from '../../local-cluster/java-launcher.js';
import { freePort } from '../../local-cluster/ports.js';
import { connect } from '../../producers/index.js';
import { CHOSEN_CLIENT } from '../support/kafka-client.js';

const MODELS = fileURLToPath(new URL('../../../examples/models', import.meta.url));
const quiet = createLogger('secure', 'silent');
const skip = findKafkaJars() === undefined ? 'the jars of the embedded broker are missing' : false;

let folder: string;
let broker: LocalBroker | undefined;
let node: InferenceNode | undefined;
let secure: ConfigInput;

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), 'partitura-secure-'));
  makeCertificate();
  const [plainPort, securePort, controllerPort] = [await freePort(), await freePort(), await freePort()];
  broker = await startLocalBroker({
    port: plainPort,
    settings: secureSettings(plainPort, securePort, controllerPort),
  });
  secure = {
    ...CHOSEN_CLIENT,
    brokers: `127.0.0.1:${securePort}`,
    models: MODELS,
    ssl: true,
    sslCa: join(folder, 'cert.pem'),
    saslMechanism: 'plain',
    saslUsername: 'alice',
    saslPassword: 'secret',
  };
});

after(async () => {
  await node?.close();
  await broker?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

test('node and client work with a cluster that requires TLS and a password', { skip }, async () => {
  const config = checkConfig(secure);
  node = await startNode(config, createKafkaClient(config, 'secure', quiet), quiet);
  const client = await connect(secure, quiet);
  const { outputs } = await client.predict('digits', { pixels: [new Array<number>(64).fill(1)] });
  assert.equal(outputs['probabilities']?.data.length, 10);
  await client.close();
});

test('a queue works over TLS with a password', { skip }, async () => {
  const settings = { ...secure, kafkaClient: 'native', prefix: 'queue', delivery: 'queue' };
  const config = checkConfig(settings);
  const queueNode = await startNode(config, createKafkaClient(config, 'secure', quiet), quiet);
  const client = await connect(settings, quiet);
  const { outputs } = await client.predict('digits', { pixels: [new Array<number>(64).fill(1)] });
  assert.ok(outputs['probabilities']);
  assert.equal(queueNode.status().models[0]?.delivery, 'queue');
  await client.close();
  await queueNode.close();
});

test('rejected credentials and certificates are reported with the option to check', { skip }, async () => {
  const cases: [ConfigInput, RegExp][] = [
    [{ saslPassword: 'wrong' }, /refused the login: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/],
    [{ saslMechanism: 'scram-sha-256' }, /does not offer this login mechanism: check KAFKA_SASL_MECHANISM/],
    [{ sslCa: undefined }, /not signed by a trusted authority: check KAFKA_SSL_CA/],
  ];
  for (const [different, message] of cases) {
    const refused = (error: KafkaError): boolean =>
      error.kind === 'unauthenticated' && message.test(error.message);
    await assert.rejects(connect({ ...secure, ...different }, quiet), refused, JSON.stringify(different));
    const config = checkConfig({ ...secure, ...different });
    const start = startNode(config, createKafkaClient(config, 'secure', quiet), quiet);
    await assert.rejects(start, refused, `node, ${JSON.stringify(different)}`);
  }
});

test('TLS on a plaintext port, and the reverse, is reported with the option to check', { skip }, async () => {
  const plain = { ...secure, brokers: broker?.bootstrap };
  const withoutTls = { ...secure, ssl: false, sslCa: undefined };
  for (const different of [plain, withoutTls]) await assert.rejects(connect(different, quiet), /KAFKA_SSL/);
});

function makeCertificate(): void {
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, ...files],
    { stdio: 'ignore' },
  );
  writeFileSync(
    join(folder, 'keystore.pem'),
    ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file), 'utf8')).join(''),
  );
}

function secureSettings(
  plainPort: number,
  securePort: number,
  controllerPort: number,
): Record<string, string> {
  return {
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${plainPort},SECURE://127.0.0.1:${securePort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${plainPort},SECURE://127.0.0.1:${securePort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
    'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.secure.plain.sasl.jaas.config':
      'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret";',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(folder, 'keystore.pem'),
  };
}
