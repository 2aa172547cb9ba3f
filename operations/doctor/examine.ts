import { aclsFor, type Acl } from '../../cluster/acls.js';
import type { BindingDefinition } from '../../cluster/bindings/definition.js';
import { readBindings } from '../../cluster/bindings/store.js';
import type { Config } from '../../core/config.js';
import type { BrokerFacts, ClusterFacts, KafkaInspector } from '../../kafka/inspector.js';
import { within } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';
import { VERSION } from '../../core/version.js';
import {
  BROKER_SETTINGS,
  checkAdvertised,
  checkAgreement,
  checkBootstrap,
  checkBrokerSettings,
  checkVersions,
  notLookedAt,
  type Reach,
} from './checks/brokers.js';
import { checkGroup } from './checks/groups.js';
import { checkClocks, checkNodes } from './checks/nodes.js';
import { checkRegistry } from './checks/registry.js';
import { checkRights } from './checks/rights.js';
import { checkTopic, type TopicCheckOptions } from './checks/topics.js';
import { warning, type Finding } from './finding.js';
import {
  examineGroups,
  examineNodes,
  examineRegistry,
  examineTopics,
  modelsOf,
  type Patient,
} from './gather.js';
import { Looks, outcome } from './looks.js';

const REACH_LIMIT_MS = 15_000;

/** Looks at everything that can be looked at; what fails is a finding itself. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const { config, inspector } = patient;
  const attempts = await reachAll(inspector, config.brokers);
  const reached = attempts.filter(({ error }) => !error).map(({ address }) => address);
  const { findings, models } = reached.length > 0 ? await examineCluster(patient, reached) : NOT_REACHED;
  const registry = checkRegistry(await examineRegistry(config, models), config.prefix);
  const hasLogin = config.ssl || config.saslMechanism !== undefined;
  return [...checkBootstrap(attempts, config), ...findings, ...registry].map((finding) =>
    toBeTyped(finding, reached[0] ?? '', hasLogin),
  );
}

interface Examined {
  readonly findings: readonly Finding[];
  readonly models: readonly string[];
}

const NOT_REACHED: Examined = { findings: [notLookedAt()], models: [] };

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

/** @param reached addresses that were named and answer */
async function examineCluster(patient: Patient, reached: readonly string[]): Promise<Examined> {
  const { inspector } = patient;
  const looks = new Looks();
  const cluster = await looks.at('brokers', 'the cluster', 'DESCRIBE on the cluster', () =>
    inspector.describeCluster(),
  );
  if (!cluster) {
    const found = [...looks.findings, ...(await examineVersions(patient, reached))];
    const { findings, models } = await examineContents(patient, undefined, []);
    return { findings: [...found, ...findings], models };
  }
  const advertised = await reachAll(
    inspector,
    cluster.brokers.map(({ address }) => address),
  );
  const usable = cluster.brokers.filter((_, index) => !advertised[index]?.error);
  const findings = [...checkAdvertised(advertised)];
  if (usable.length === 0) return { findings: [...findings, notLookedAt()], models: [] };
  findings.push(
    ...(await examineVersions(
      patient,
      usable.map(({ address }) => address),
    )),
  );
  const contents = await examineContents(patient, cluster, usable);
  return { findings: [...findings, ...contents.findings], models: contents.models };
}

async function examineVersions(
  { inspector, config }: Patient,
  addresses: readonly string[],
): Promise<Finding[]> {
  const software = await Promise.all(
    addresses.map(async (address) => ({
      address,
      facts: await outcome(() => inspector.describeSoftware(address)),
    })),
  );
  return checkVersions(software, config, { partitura: VERSION, node: process.versions.node });
}

/** @param usable brokers that can be reached */
async function examineContents(
  patient: Patient,
  cluster: ClusterFacts | undefined,
  usable: readonly BrokerFacts[],
): Promise<Examined> {
  const { inspector, admin, config } = patient;
  const looks = new Looks();
  const settings = await examineBrokers(patient, usable, looks);
  await looks.at('brokers', `the cluster by KAFKA_CLIENT=${config.kafkaClient}`, 'DESCRIBE', () =>
    admin.connect(),
  );
  const names = topicNames(config.prefix);
  const seen = await looks.at('nodes', 'nodes', `READ on ${names.nodes}`, () => examineNodes(patient));
  const bindings = await examineBindings(patient, looks);
  const existing = await looks.at('topics', 'the list of topics', 'DESCRIBE on topics', () =>
    inspector.topicNames(),
  );
  const models = modelsOf(config.prefix, existing ?? [], seen?.nodes ?? []);
  const topics =
    (await looks.at('topics', 'topics', 'DESCRIBE on topics', () =>
      examineTopics(patient, models, bindings),
    )) ?? [];
  const groups = await examineGroups(patient, topics, models, bindings);
  const options = topicOptions(patient, cluster?.brokers.length ?? 1, settings);
  const findings = [
    ...looks.findings,
    ...topics.flatMap((topic) => checkTopic(topic, options)),
    ...(existing && models.length === 0 ? [noModels()] : []),
    ...groups.flatMap(checkGroup),
    ...(seen ? checkNodes(seen.nodes) : []),
    ...checkRights(nodeAcls(config, models, bindings), config.saslUsername, topics, groups, cluster),
    ...(seen ? checkClocks(seen.beats) : []),
  ];
  return { findings, models };
}

function nodeAcls(
  { prefix, kafkaClient }: Config,
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): readonly Acl[] {
  const scope = { prefix, models, bindings, kafkaClient, replyTopics: [], createsTopics: false };
  return aclsFor('node-with-bindings', scope);
}

function topicOptions(
  { config, deadlineMs }: Patient,
  brokers: number,
  settings: ReadonlyMap<number, ReadonlyMap<string, string>>,
): TopicCheckOptions {
  const ofBrokers = (name: string): [number, number][] =>
    [...settings].flatMap(([broker, values]) => {
      const value = values.get(name);
      return value === undefined ? [] : [[broker, Number(value)]];
    });
  const fetched = ofBrokers('replica.fetch.max.bytes').map(([, bytes]) => bytes);
  return {
    brokers,
    brokerMaxBytes: new Map(ofBrokers('message.max.bytes')),
    replicaFetchBytes: fetched.length > 0 ? Math.min(...fetched) : NaN,
    deadlineMs,
    maxRecordBytes: config.maxRecordBytes,
  };
}

async function examineBindings({ kafka, config }: Patient, looks: Looks): Promise<BindingDefinition[]> {
  const topic = topicNames(config.prefix).bindings;
  const applied = await looks.at('topics', 'bindings', `READ on ${topic}`, () =>
    readBindings(kafka, config, ({ partition, offset }, error) => {
      const what = `${topic}: record ${partition}/${offset} is no binding: ${error.message}`;
      looks.findings.push(warning('topics', what, 'apply it again: partitura bind apply'));
    }),
  );
  return [...(applied?.values() ?? [])].map(({ definition }) => definition);
}

/** Commands are to be typed as they stand. */
function toBeTyped(finding: Finding, address: string, hasLogin: boolean): Finding {
  const login = hasLogin ? ' --command-config <your client.properties>' : '';
  const command = /\b(kafka-[a-z-]+\.sh) --/;
  return {
    ...finding,
    fix: finding.fix?.replace(command, `$1 --bootstrap-server ${address}${login} --`) ?? null,
  };
}

function noModels(): Finding {
  return warning(
    'topics',
    'there is no topic of requests yet',
    'start a node, which creates those of its models',
  );
}

async function examineBrokers(
  { inspector, config }: Patient,
  brokers: readonly BrokerFacts[],
  looks: Looks,
): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
  const all = new Map<number, ReadonlyMap<string, string>>();
  for (const { id } of brokers) {
    const settings = await looks.at(
      'brokers',
      `settings of broker ${id}`,
      'DESCRIBE_CONFIGS on the cluster',
      () => inspector.brokerSettings(id, BROKER_SETTINGS),
    );
    if (!settings) continue;
    all.set(id, settings);
    looks.findings.push(...checkBrokerSettings(id, settings, config));
  }
  looks.findings.push(...checkAgreement(all));
  return all;
}
