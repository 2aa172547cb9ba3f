import { aclsFor, type Acl } from '../../cluster/acls.js';
import type { BindingDefinition } from '../../cluster/bindings/definition.js';
import { readBindings } from '../../cluster/bindings/store.js';
import { ABILITIES } from '../../kafka/abilities.js';
import type { Config } from '../../core/config/config.js';
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
  notChecked,
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
  type DoctorContext,
} from './gather.js';
import { Queries, settle } from './queries.js';

const REACH_LIMIT_MS = 15_000;

/** Runs all checks; a failed query is a finding itself. */
export async function runChecks(context: DoctorContext): Promise<Finding[]> {
  const { config, inspector } = context;
  const attempts = await reachAll(inspector, config.brokers);
  const reached = attempts.filter(({ error }) => !error).map(({ address }) => address);
  const { findings, models } = reached.length > 0 ? await checkCluster(context, reached) : NOT_REACHED;
  const registry = checkRegistry(await examineRegistry(config, models), config.prefix);
  const hasLogin = config.ssl || config.saslMechanism !== undefined;
  return [...checkBootstrap(attempts, config), ...findings, ...registry].map((finding) =>
    copyPasteable(finding, reached[0] ?? '', hasLogin),
  );
}

interface Examined {
  readonly findings: readonly Finding[];
  readonly models: readonly string[];
}

const NOT_REACHED: Examined = { findings: [notChecked()], models: [] };

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

/** @param reached bootstrap addresses that answer */
async function checkCluster(context: DoctorContext, reached: readonly string[]): Promise<Examined> {
  const { inspector } = context;
  const queries = new Queries();
  const cluster = await queries.run('brokers', 'the cluster', 'DESCRIBE on the cluster', () =>
    inspector.describeCluster(),
  );
  if (!cluster) {
    const found = [...queries.findings, ...(await collectVersions(context, reached))];
    const { findings, models } = await checkContents(context, undefined, []);
    return { findings: [...found, ...findings], models };
  }
  const advertised = await reachAll(
    inspector,
    cluster.brokers.map(({ address }) => address),
  );
  const usable = cluster.brokers.filter((_, index) => !advertised[index]?.error);
  const findings = [...checkAdvertised(advertised)];
  if (usable.length === 0) return { findings: [...findings, notChecked()], models: [] };
  findings.push(
    ...(await collectVersions(
      context,
      usable.map(({ address }) => address),
    )),
  );
  const contents = await checkContents(context, cluster, usable);
  return { findings: [...findings, ...contents.findings], models: contents.models };
}

async function collectVersions(
  { inspector, config }: DoctorContext,
  addresses: readonly string[],
): Promise<Finding[]> {
  const software = await Promise.all(
    addresses.map(async (address) => ({
      address,
      facts: await settle(() => inspector.describeSoftware(address)),
    })),
  );
  return checkVersions(software, config, { partitura: VERSION, node: process.versions.node });
}

/** @param usable brokers that can be reached */
async function checkContents(
  context: DoctorContext,
  cluster: ClusterFacts | undefined,
  usable: readonly BrokerFacts[],
): Promise<Examined> {
  const { inspector, admin, config } = context;
  const queries = new Queries();
  const settings = await examineBrokers(context, usable, queries);
  await queries.run('brokers', `the cluster by KAFKA_CLIENT=${config.kafkaClient}`, 'DESCRIBE', () =>
    admin.connect(),
  );
  const names = topicNames(config.prefix);
  const examined = await queries.run('nodes', 'nodes', `READ on ${names.nodes}`, () => examineNodes(context));
  const bindings = await examineBindings(context, queries);
  const existing = await queries.run('topics', 'the list of topics', 'DESCRIBE on topics', () =>
    inspector.topicNames(),
  );
  const models = modelsOf(config.prefix, existing ?? [], examined?.nodes ?? []);
  const topics =
    (await queries.run('topics', 'topics', 'DESCRIBE on topics', () =>
      examineTopics(context, models, bindings),
    )) ?? [];
  const groups = await examineGroups(context, topics, models, bindings);
  const options = topicOptions(context, cluster?.brokers.length ?? 1, settings);
  const findings = [
    ...queries.findings,
    ...topics.flatMap((topic) => checkTopic(topic, options)),
    ...(existing && models.length === 0 ? [noModels()] : []),
    ...groups.flatMap(checkGroup),
    ...(examined ? checkNodes(examined.nodes) : []),
    ...checkRights(nodeAcls(config, models, bindings), config.saslUsername, { topics, groups, cluster }),
    ...(examined ? checkClocks(examined.beats) : []),
  ];
  return { findings, models };
}

function nodeAcls(
  { prefix, kafkaClient }: Config,
  models: readonly string[],
  bindings: readonly BindingDefinition[],
): readonly Acl[] {
  const scope = {
    prefix,
    models,
    bindings,
    groupless: ABILITIES[kafkaClient].groupless,
    replyTopics: [],
    createsTopics: false,
  };
  return aclsFor('node-with-bindings', scope);
}

function topicOptions(
  { config, deadlineMs }: DoctorContext,
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

async function examineBindings(
  { kafka, config }: DoctorContext,
  queries: Queries,
): Promise<BindingDefinition[]> {
  const topic = topicNames(config.prefix).bindings;
  const applied = await queries.run('topics', 'bindings', `READ on ${topic}`, () =>
    readBindings(kafka, config, ({ partition, offset }, error) => {
      const what = `${topic}: record ${partition}/${offset} is not a valid binding: ${error.message}`;
      queries.findings.push(warning('topics', what, 'apply it again: partitura bind apply'));
    }),
  );
  return [...(applied?.values() ?? [])].map(({ definition }) => definition);
}

/** Makes suggested commands copy-pasteable. */
function copyPasteable(finding: Finding, address: string, hasLogin: boolean): Finding {
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
    'no request topic exists yet',
    'start a node, which creates the topics of its models',
  );
}

async function examineBrokers(
  { inspector, config }: DoctorContext,
  brokers: readonly BrokerFacts[],
  queries: Queries,
): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
  const all = new Map<number, ReadonlyMap<string, string>>();
  for (const { id } of brokers) {
    const settings = await queries.run(
      'brokers',
      `settings of broker ${id}`,
      'DESCRIBE_CONFIGS on the cluster',
      () => inspector.brokerSettings(id, BROKER_SETTINGS),
    );
    if (!settings) continue;
    all.set(id, settings);
    queries.findings.push(...checkBrokerSettings(id, settings, config));
  }
  queries.findings.push(...checkAgreement(all));
  return all;
}
