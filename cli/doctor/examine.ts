import { readBindings, type AppliedBinding } from '../../core/bindings/store.js';
import type { ClusterFacts, KafkaInspector } from '../../core/kafka/inspector.js';
import { readNodes } from '../../core/node-directory.js';
import { within } from '../../core/retry.js';
import {
  BROKER_SETTINGS,
  checkAdvertised,
  checkBootstrap,
  checkBrokerSettings,
  checkVersions,
  type Reach,
} from './checks/brokers.js';
import { checkGroup } from './checks/groups.js';
import { checkClocks, checkNodes } from './checks/nodes.js';
import { checkRegistry } from './checks/registry.js';
import { checkRights } from './checks/rights.js';
import { checkTopic } from './checks/topics.js';
import { VERSION } from '../version.js';
import { unknown, warning, type Finding } from './finding.js';
import {
  examineGroups,
  examineRegistry,
  examineTopics,
  modelsOf,
  readBeats,
  type Patient,
} from './gather.js';

const REACH_LIMIT_MS = 15_000;

/** Looks at everything that can be looked at; what fails is a finding itself. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const { config, inspector } = patient;
  const bootstrap = checkBootstrap(await reachAll(inspector, config.brokers), config);
  const isReached = bootstrap.some(({ level }) => level === 'ok');
  const { findings, models } = isReached ? await examineCluster(patient) : { findings: [], models: [] };
  return [...bootstrap, ...findings, ...checkRegistry(await examineRegistry(config, models))];
}

function reachAll(inspector: KafkaInspector, addresses: readonly string[]): Promise<Reach[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const startedAt = Date.now();
      const late = (): Error => new Error(`no answer within ${REACH_LIMIT_MS} ms`);
      const error = await within(REACH_LIMIT_MS, inspector.reach(address), late).then(
        () => undefined,
        (cause: unknown) => cause as Error,
      );
      return { address, ms: Date.now() - startedAt, error };
    }),
  );
}

async function examineCluster(patient: Patient): Promise<{ findings: Finding[]; models: string[] }> {
  const { inspector, admin, kafka, config } = patient;
  const cluster = await inspector.describeCluster();
  const advertised = await reachAll(
    inspector,
    cluster.brokers.map(({ address }) => address),
  );
  const findings = [...checkAdvertised(advertised)];
  if (advertised.some(({ error }) => error)) return { findings, models: [] };
  const releases = await Promise.all(
    cluster.brokers.map(async (broker) => ({ broker: broker.id, release: await inspector.release(broker) })),
  );
  findings.push(
    ...checkVersions(cluster, releases, config, { partitura: VERSION, node: process.versions.node }),
  );
  await admin.connect();
  const seen = new Seen(findings);
  const settings = await examineBrokers(patient, cluster, seen);
  const nodes = await seen.or([], 'nodes', 'nodes', readNodes(kafka, config, Date.now()));
  const applied = await seen.or(
    new Map<string, AppliedBinding>(),
    'topics',
    'bindings',
    readBindings(kafka, config),
  );
  const bindings = [...applied.values()].map(({ definition }) => definition);
  const models = await modelsOf(patient, nodes);
  const topics = await examineTopics(patient, models, bindings);
  const groups = await seen.or([], 'groups', 'groups', examineGroups(patient, models, bindings));
  const options = {
    brokers: cluster.brokers.length,
    brokerMaxBytes: least(settings, 'message.max.bytes'),
    replicaFetchBytes: least(settings, 'replica.fetch.max.bytes'),
    deadlineMs: patient.deadlineMs,
    maxRecordBytes: config.maxRecordBytes,
  };
  const beats = await seen.or(undefined, 'clocks', 'signs of life', readBeats(patient, nodes, topics));
  findings.push(
    ...topics.flatMap((topic) => checkTopic(topic, options)),
    ...noModels(models),
    ...groups.flatMap(checkGroup),
    ...checkNodes(nodes, Date.now()),
    ...checkRights(
      config.saslUsername ?? 'ANONYMOUS',
      topics,
      groups.map(({ facts }) => facts),
      cluster,
    ),
    ...(beats ? checkClocks(beats) : []),
  );
  return { findings: findings.map((finding) => atBroker(finding, config.brokers[0] ?? '')), models };
}

/** What can't be seen is a finding, and no reason to end. */
class Seen {
  constructor(readonly findings: Finding[]) {}

  async or<T>(instead: T, area: string, what: string, looking: Promise<T>): Promise<T> {
    try {
      return await looking;
    } catch (error) {
      const fix = 'allow DESCRIBE, DESCRIBE_CONFIGS and READ to whoever runs the doctor';
      this.findings.push(unknown(area, `${what} can't be seen: ${(error as Error).message}`, fix));
      return instead;
    }
  }
}

/** Commands are to be typed as they stand. */
function atBroker(finding: Finding, address: string): Finding {
  const fix = finding.fix?.replace(/\b(kafka-[a-z]+\.sh) --/, `$1 --bootstrap-server ${address} --`) ?? null;
  return { ...finding, fix };
}

function noModels(models: readonly string[]): Finding[] {
  if (models.length > 0) return [];
  return [
    warning('topics', 'there is no topic of requests yet', 'start a node, which creates those of its models'),
  ];
}

async function examineBrokers(
  { inspector, config }: Patient,
  { brokers }: ClusterFacts,
  seen: Seen,
): Promise<ReadonlyMap<string, string>[]> {
  const all: ReadonlyMap<string, string>[] = [];
  for (const { id } of brokers) {
    const looking = inspector.brokerSettings(id, BROKER_SETTINGS);
    const settings = await seen.or(undefined, 'brokers', `settings of broker ${id}`, looking);
    if (!settings) continue;
    all.push(settings);
    seen.findings.push(...checkBrokerSettings(id, settings, config));
  }
  return all;
}

function least(settings: readonly ReadonlyMap<string, string>[], name: string): number {
  return Math.min(...settings.map((one) => Number(one.get(name) ?? NaN)));
}
