import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Level } from '../../operations/doctor/finding.js';
import { checkConfig } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaAdmin } from '../../kafka/port.js';
import { createLogger } from '../../core/log.js';
import { readStatuses } from '../../cluster/node-directory.js';
import { startLocalBroker } from '../../local-cluster/broker.js';
import { findKafkaJars } from '../../local-cluster/java-launcher.js';
import { freePort } from '../../local-cluster/ports.js';
import { encodeNodeStatus } from '../../schemas/framing/node-status.js';
import { TestRegistry } from '../../testing/registry.js';
import { CommandLine } from '../support/command-line.js';
import { Harness } from '../support/harness.js';
import { run } from '../support/programs.js';
import { startSecuredBroker } from '../support/secured-broker.js';

interface Finding {
  readonly area: string;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
}

const cli = new CommandLine({});
const noJars = findKafkaJars() === undefined ? 'the jars of the embedded broker are missing' : false;
const quiet = createLogger('test', 'silent');

async function doctor(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, stdout, stderr } = await cli.run(['doctor', '--json', ...args], env);
  assert.ok(stdout.startsWith('['), stderr);
  return { code, findings: JSON.parse(stdout) as Finding[] };
}

const bad = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ level }) => level !== 'ok')
    .map(({ level, area, message }) => `${level} ${area}: ${message}`);

function assertFound(findings: readonly Finding[], level: Level, message: RegExp, fix: RegExp): void {
  const found = findings.find((finding) => finding.level === level && message.test(finding.message));
  assert.ok(found, `${level} ${message.source} in ${JSON.stringify(findings, null, 1)}`);
  assert.match(found.fix ?? '', fix);
}

describe('partitura doctor', () => {
  let harness: Harness;
  before(async () => {
    harness = await Harness.start(['scale']);
    await harness.node({ nodeId: 'the-node' });
  });
  after(async () => {
    await cli.killAll();
    await harness.close();
  });
  const brokers = (): string[] => ['--brokers', harness.broker.bootstrap];

  test('reports no problem on a healthy cluster', async () => {
    const { code, findings } = await doctor(brokers());
    assert.deepEqual(bad(findings), [
      "unknown registry: no schema registry is configured: requests in Confluent's wire formats become dead letters",
    ]);
    assert.equal(code, 0);
    const areas = new Set(findings.map(({ area }) => area));
    assert.deepEqual([...areas].sort(), [
      'brokers',
      'clocks',
      'groups',
      'nodes',
      'registry',
      'rights',
      'topics',
      'versions',
    ]);
    const printed = await cli.run(['doctor', ...brokers()]);
    assert.match(printed.stdout, /^ok +groups +partitura\.scale: 1 node, lag 0 records of /m);
    assert.match(printed.stdout, /^0 problems, 0 warnings, 1 unknown, \d+ ok$/m);
  });

  test('reports topics whose settings lose or reject records, each with the command that fixes it', async () => {
    const topic = 'sick.m.requests';
    const config = {
      'cleanup.policy': 'compact',
      'retention.ms': '60000',
      'retention.bytes': '1000000',
      'max.message.bytes': '100000',
    };
    await harness.withAdmin((admin) =>
      admin.createTopics([
        { topic, partitions: 1, replicationFactor: 1, config },
        { topic: 'sick.nodes', partitions: 1, replicationFactor: 1 },
      ]),
    );
    const { code, findings } = await doctor([...brokers(), '--prefix', 'sick', '--deadline', '30000']);
    assert.equal(code, 1);
    const change = (setting: string): RegExp =>
      new RegExp(
        `kafka-configs\\.sh --bootstrap-server ${harness.broker.bootstrap} --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`,
      );
    assertFound(findings, 'problem', /requests: cleanup\.policy is compact/, change('cleanup.policy=delete'));
    assertFound(
      findings,
      'problem',
      /deleted after 1 min, with deadlines of up to 30 s/,
      change('retention.ms='),
    );
    assertFound(findings, 'warning', /exceeds 1000000 bytes/, change('retention.bytes=-1'));
    assertFound(
      findings,
      'problem',
      /takes at most 100000 bytes, and records may have 1000000/,
      change('max.message.bytes=1016384'),
    );
    assertFound(findings, 'problem', /^sick\.m\.replies does not exist/, /start a node/);
    assertFound(findings, 'problem', /^sick\.nodes: cleanup\.policy is delete/, /cleanup\.policy=compact/);
    assertFound(findings, 'unknown', /has no broker timestamps/, /message\.timestamp\.type=LogAppendTime/);
    assertFound(findings, 'problem', /no node is alive/, /partitura node/);
  });

  test('its commands fix the findings', { skip: noJars }, async () => {
    const topic = 'fixed.m.requests';
    await harness.withAdmin((admin) =>
      admin.createTopics([
        {
          topic,
          partitions: 1,
          replicationFactor: 1,
          config: { 'retention.ms': '60000', 'retention.bytes': '1' },
        },
      ]),
    );
    const ofTopic = async (): Promise<Finding[]> =>
      (await doctor([...brokers(), '--prefix', 'fixed'])).findings.filter(({ message }) =>
        message.startsWith(`${topic}:`),
      );
    const found = await ofTopic();
    assert.deepEqual(
      found.map(({ level }) => level),
      ['problem', 'warning'],
    );
    for (const { fix } of found) {
      const [script, ...args] = (fix ?? '').split(' ');
      assert.equal(script, 'kafka-configs.sh');
      const ended = await run('java', ['-cp', `${findKafkaJars()}/*`, 'kafka.admin.ConfigCommand', ...args]);
      assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    }
    assert.deepEqual(
      (await ofTopic()).map(({ level }) => level),
      ['ok'],
    );
  });

  test('reports unread requests and requests that were deleted unanswered', async () => {
    const topic = 'lost.m.requests';
    await harness.withAdmin((admin) => admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]));
    const producer = harness.kafka.producer();
    await producer.connect();
    await producer.send(
      [1, 2, 3, 4, 5].map(() => ({ topic, key: null, value: Buffer.from('x'), headers: {} })),
    );
    await producer.close();
    await commitAt(topic, 'lost.m', 1);
    await harness.withAdmin((admin: KafkaAdmin) => admin.deleteRecords(topic, [{ partition: 0, offset: 3 }]));
    const { findings } = await doctor([...brokers(), '--prefix', 'lost']);
    assertFound(
      findings,
      'problem',
      /^lost\.m: no node reads lost\.m\.requests; lag 2 records of lost\.m\.requests$/,
      /start a node/,
    );
    assertFound(
      findings,
      'problem',
      /^lost\.m: 2 records of lost\.m\.requests \(partitions 0\) were deleted before they were answered/,
      /retention\.ms/,
    );
  });

  async function commitAt(topic: string, group: string, offset: number): Promise<void> {
    const consumer = harness.kafka.consumer({
      group,
      topic,
      from: 'earliest',
      sessionTimeoutMs: 6_000,
      fetchMaxBytes: 1_000_000,
    });
    await consumer.start({
      onRecords: () => undefined,
      onAssigned: () => undefined,
      onRevoked: () => Promise.resolve(),
      onCrash: () => undefined,
    });
    await consumer.commit([{ topic, partition: 0, offset }]);
    await consumer.close();
  }

  test('a raw client that poses as a node with a skewed clock neither stops the doctor nor hides the nodes', async () => {
    const [status] = await readStatuses(harness.kafka, harness.config());
    assert.ok(status);
    const { models, ...rest } = status.status;
    const wrong = models.map((model) => ({ ...model, model: 'bad \u001b[31mname' }));
    const value = encodeNodeStatus({
      ...rest,
      node: 'rawClient',
      beatAt: Date.now() + 90_000,
      models: wrong,
    });
    const producer = harness.kafka.producer();
    await producer.connect();
    const send = (record: Buffer | null): Promise<void> =>
      producer.send([
        { topic: 'partitura.nodes', key: Buffer.from('rawClient'), value: record, headers: {} },
      ]);
    let beating: NodeJS.Timeout | undefined;
    try {
      await send(value);
      const { findings } = await doctor(brokers());
      assertFound(
        findings,
        'warning',
        /^rawClient: reports .*, not a valid model name/,
        /allow only nodes to WRITE/,
      );
      assertFound(findings, 'problem', /^the clock of rawClient is 1\.5 min ahead/, /NTP/);
      assert.ok(findings.some(({ level, message }) => level === 'ok' && message === 'the-node: scale'));
      beating = setInterval(() => void send(value), 1_000);
      for (const command of ['doctor', 'models']) {
        const { stdout } = await cli.run([command, ...brokers()]);
        assert.ok(stdout.includes('bad ·[31mname') && !stdout.includes('\u001b'), stdout);
      }
    } finally {
      clearInterval(beating);
      await send(null);
      await producer.close();
    }
  });

  test('reports a wrong address and continues with a working one', async () => {
    const closed = `127.0.0.1:${await freePort()}`;
    const { code, findings } = await doctor(['--brokers', `${closed},${harness.broker.bootstrap}`]);
    assert.equal(code, 0, JSON.stringify(findings));
    assertFound(findings, 'warning', new RegExp(`^${closed}: .*ECONNREFUSED`), /nothing is listening/);
    const none = await doctor(['--brokers', 'no-such-host.invalid:9092']);
    assert.equal(none.code, 1);
    assertFound(none.findings, 'problem', /no-such-host\.invalid/, /does not resolve/);
  });

  test('checks that the registry answers, has our schemas and enforces compatibility', async () => {
    const registry = await TestRegistry.start();
    registry.tell('GET', '/subjects', []);
    const args = [...brokers(), '--schema-registry-url', registry.url];
    assertFound(
      (await doctor(args)).findings,
      'warning',
      /^partitura\.scale\.replies-value lacks our schema/,
      /partitura schemas register scale --schema-registry-url http/,
    );
    for (const subject of ['partitura.scale.requests-value', 'partitura.scale.replies-value']) {
      registry.tell('POST', `/subjects/${subject}`, { subject, id: 1, version: 1, schema: '{}' });
      registry.tell('GET', `/config/${subject}`, { compatibilityLevel: 'NONE' });
    }
    assertFound(
      (await doctor(args)).findings,
      'warning',
      /compatibility is NONE, expected FULL_TRANSITIVE/,
      /partitura schemas register scale --schema-registry-url http/,
    );
    await registry.close();
    const { code, findings } = await doctor(args);
    assert.equal(code, 1);
    assertFound(findings, 'problem', /cannot be reached/, /SCHEMA_REGISTRY_URL/);
  });
});

test(
  'an unreachable advertised address is reported with the broker property to fix',
  { skip: noJars },
  async () => {
    const [port, useless] = [await freePort(), await freePort()];
    const broker = await startLocalBroker({
      port,
      settings: { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${useless}` },
    });
    try {
      const { code, findings } = await doctor(['--brokers', `127.0.0.1:${port}`]);
      assert.equal(code, 1);
      assertFound(
        findings,
        'problem',
        new RegExp(`the cluster advertises 127\\.0\\.0\\.1:${useless}, which is not reachable from here`),
        /advertised\.listeners/,
      );
    } finally {
      await broker.stop();
    }
  },
);

test(
  'missing rights of a node are reported with the command that grants them',
  { skip: noJars },
  async () => {
    const broker = await startSecuredBroker();
    const address = String(broker.guest.brokers);
    const admin = createKafkaClient(checkConfig({ brokers: broker.bootstrap }), 'test', quiet).admin();
    try {
      await admin.connect();
      for (const topic of ['partitura.m.requests', 'partitura.nodes', 'partitura.bindings'])
        await admin.createTopics([{ topic, partitions: 1, replicationFactor: 1 }]);
      const login = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'guest', KAFKA_SASL_PASSWORD: 'g' };
      const { findings } = await doctor(['--brokers', address], login);
      assertFound(
        findings,
        'warning',
        /^topic partitura\.nodes: a node with this login lacks WRITE$/,
        /kafka-acls\.sh --bootstrap-server \S+ --command-config <your client\.properties> --add --allow-principal User:guest --topic partitura\.nodes --operation Write$/,
      );
      await broker.grant([
        { type: 'TOPIC', name: 'partitura.', pattern: 'PREFIXED', operations: ['READ', 'WRITE'] },
      ]);
      const some = await doctor(['--brokers', address], login);
      assertFound(
        some.findings,
        'unknown',
        /^partitura\.m\.requests: settings: not available/,
        /DESCRIBE_CONFIGS/,
      );
      assertFound(some.findings, 'unknown', /^not authorized to describe partitura\.m/, /DESCRIBE on group/);
      assertFound(some.findings, 'warning', /^group partitura\.m: .* lacks READ$/, /--group partitura\.m/);
      assertFound(
        some.findings,
        'unknown',
        /^message\.timestamp\.type of partitura\.nodes: not available/,
        /DESCRIBE_CONFIGS/,
      );
      const good = some.findings.filter(({ level, area }) => level === 'ok' && /topics|rights/.test(area));
      assert.deepEqual(good, []);
      const wrong = await doctor(['--brokers', address], {
        ...login,
        KAFKA_SASL_PASSWORD: 'x',
      });
      assert.equal(wrong.code, 1);
      assertFound(
        wrong.findings,
        'problem',
        /SASL|authentic/i,
        /check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/,
      );
      const without = await doctor(['--brokers', address]);
      assert.equal(without.code, 1);
      assertFound(
        without.findings,
        'problem',
        new RegExp(address.replaceAll('.', '\\.')),
        /KAFKA_SASL_MECHANISM/,
      );
    } finally {
      await admin.close();
      await broker.stop();
    }
  },
);
