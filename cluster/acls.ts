import { deadLetterTopic, type BindingDefinition } from './bindings/definition.js';
import { BLOCKS_TASK } from './jobs/job-status.js';
import { JOBS, topicNames, type TopicNames } from './topics.js';

/** Roles that access a cluster, each with its own permissions. */
export const ROLES = [
  'node',
  'node-with-bindings',
  'gateway',
  'coordinator',
  'client',
  'operator',
  'read-only',
] as const;
export type Role = (typeof ROLES)[number];

export type AclResource = 'topic' | 'group' | 'transactional-id' | 'cluster';
export type AclOperation =
  'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS';

/** One permission. READ, WRITE and DELETE on a topic, and READ on a group, imply DESCRIBE. */
export interface Acl {
  readonly resource: AclResource;
  /** `kafka-cluster` for the cluster. */
  readonly name: string;
  /** True if `name` is a prefix of resource names. */
  readonly isPrefix: boolean;
  readonly operation: AclOperation;
  /** Purpose of the permission. */
  readonly purpose: string;
}

export interface AclScope {
  readonly prefix: string;
  readonly models: readonly string[];
  /** Reply topics that requests may name, in addition to those of the cluster. */
  readonly replyTopics: readonly string[];
  readonly bindings: readonly BindingDefinition[];
  /** True if the Kafka client reads topics without a consumer group; kafkajs does not. */
  readonly groupless: boolean;
  /** True if nodes create topics; otherwise topics must exist before nodes start. */
  readonly createsTopics: boolean;
  /** True if requests are delivered as a queue, from share groups. */
  readonly sharesGroups?: boolean;
}

const CLUSTER = 'kafka-cluster';

/** Returns the minimal permissions of a role: the single source for `partitura acls` and `partitura doctor`. */
export function aclsFor(role: Role, scope: AclScope): readonly Acl[] {
  return ACLS[role](scope);
}

const ACLS: Readonly<Record<Role, (scope: AclScope) => readonly Acl[]>> = {
  node: nodeAcls,
  'node-with-bindings': (scope) => [...nodeAcls(scope), ...bindingAcls(scope)],
  gateway: gatewayAcls,
  coordinator: coordinatorAcls,
  client: clientAcls,
  operator: operatorAcls,
  'read-only': readOnlyAcls,
};

function nodeAcls({
  prefix,
  models,
  replyTopics,
  groupless,
  createsTopics,
  sharesGroups = false,
}: AclScope): Acl[] {
  const names = topicNames(prefix);
  return [
    topic(names.nodes, 'WRITE', 'publish the status of this node'),
    topic(names.control, 'READ', 'follow load, unload and drain'),
    topic(names.cancellations, 'READ', 'learn of abandoned requests'),
    ...(groupless ? [] : following(names)),
    ...(sharesGroups ? [topic(names.nodes, 'READ', 'leave records of queues to faster nodes')] : []),
    topic(names.clientReplies, 'WRITE', 'reply to clients of the library'),
    topic(names.deferredReplies, 'WRITE', 'reply to deferred requests'),
    ...replyTopics.map((name) => topic(name, 'WRITE', 'reply to the topics that requests name')),
    ...models.flatMap((model) => [
      topic(names.requests(model), 'READ', `read requests of model ${model}`),
      group(names.group(model), `consume requests of model ${model}`),
      ...(sharesGroups ? [configuring(names.group(model), model)] : []),
      topic(names.replies(model), 'WRITE', `reply to requests of model ${model} without a reply topic`),
      topic(names.deadLetters(model), 'WRITE', `store dead letters of model ${model}`),
    ]),
    ...(createsTopics ? creating(prefix) : []),
  ];
}

/** kafkajs reads topics in consumer groups, also those that a node follows by itself. */
function following({ control, cancellations }: TopicNames): Acl[] {
  return [
    groups(`${control}.`, 'follow the control topic with kafkajs'),
    groups(`${cancellations}.`, 'follow cancellations with kafkajs'),
  ];
}

function bindingAcls({ prefix, bindings, groupless }: AclScope): Acl[] {
  const names = topicNames(prefix);
  return [
    topic(names.bindings, 'READ', 'read applied bindings'),
    ...(groupless ? [] : [groups(`${names.bindings}.`, 'read bindings with kafkajs')]),
    ...bindings.flatMap((binding) => {
      const { name, source, output, exactlyOnce } = binding;
      return [
        topic(source.topic, 'READ', `read the source of binding ${name}`),
        group(names.bindingGroup(name), `consume the source of binding ${name}`),
        topic(output.topic, 'WRITE', `write the output of binding ${name}`),
        topic(deadLetterTopic(binding), 'WRITE', `store dead letters of binding ${name}`),
        ...(exactlyOnce ? transactions(names.bindingGroup(name), name) : []),
      ];
    }),
  ];
}

function clientAcls({ prefix, models, groupless }: AclScope): Acl[] {
  const names = topicNames(prefix);
  return [
    ...models.map((model) => topic(names.requests(model), 'WRITE', `send requests to model ${model}`)),
    topic(names.clientReplies, 'READ', 'read replies'),
    topic(names.cancellations, 'WRITE', 'cancel abandoned requests'),
    ...(groupless ? [] : [groups(`${prefix}.client.`, 'read replies with kafkajs')]),
  ];
}

function gatewayAcls(scope: AclScope): Acl[] {
  const { prefix, groupless } = scope;
  const names = topicNames(prefix);
  return [
    ...clientAcls(scope),
    topic(names.nodes, 'READ', 'know the nodes and their models'),
    topic(names.deferredReplies, 'READ', 'find replies to deferred requests'),
    topic(names.control, 'READ', 'know labels and directives'),
    topic(names.control, 'WRITE', 'load, unload and drain'),
    topic(names.jobs, 'WRITE', 'submit jobs'),
    topic(names.jobStatus, 'READ', 'know jobs'),
    topic(names.jobStatus, 'WRITE', 'cancel jobs'),
    topic(names.replies(JOBS), 'READ', 'read results of jobs'),
    ...(groupless ? [] : [groups(`${prefix}.`, 'follow nodes and directives with kafkajs')]),
  ];
}

function coordinatorAcls(scope: AclScope): Acl[] {
  const { prefix, replyTopics, groupless, createsTopics } = scope;
  const names = topicNames(prefix);
  return [
    ...clientAcls({ ...scope, models: [...scope.models, BLOCKS_TASK] }),
    topic(names.jobs, 'READ', 'read jobs'),
    group(names.group(JOBS), 'consume jobs'),
    topic(names.jobStatus, 'READ', 'continue jobs of other coordinators, and learn of cancellations'),
    topic(names.jobStatus, 'WRITE', 'publish the status of jobs'),
    topic(names.replies(JOBS), 'WRITE', 'deliver results of jobs without a reply topic'),
    ...replyTopics.map((name) => topic(name, 'WRITE', 'deliver results to the topics that jobs name')),
    topic(names.deadLetters(JOBS), 'WRITE', 'store dead letters of jobs'),
    topic(names.nodes, 'READ', 'know the nodes and their models'),
    ...(groupless ? [] : [groups(`${prefix}.`, 'follow nodes and jobs with kafkajs')]),
    ...(createsTopics ? creating(prefix) : []),
  ];
}

function operatorAcls(scope: AclScope): Acl[] {
  const { prefix, createsTopics } = scope;
  return [
    ...readOnlyAcls(scope),
    topics(`${prefix}.`, 'WRITE', 'apply bindings and directives, replay and drop dead letters'),
    topics(`${prefix}.`, 'DELETE', 'delete dropped dead letters'),
    ...(createsTopics ? creating(prefix) : []),
  ];
}

function readOnlyAcls({ prefix, groupless }: AclScope): Acl[] {
  return [
    topics(`${prefix}.`, 'READ', 'read nodes, models, bindings, dead letters and requests'),
    topics(`${prefix}.`, 'DESCRIBE_CONFIGS', 'read topic settings'),
    { ...groups(`${prefix}.`, 'read committed offsets and lag'), operation: 'DESCRIBE' },
    ...(groupless ? [] : [groups('partitura.read.', 'read topics with kafkajs')]),
    cluster('DESCRIBE_CONFIGS', 'read broker settings'),
  ];
}

function creating(prefix: string): Acl[] {
  return [topics(`${prefix}.`, 'CREATE', 'create missing topics')];
}

function transactions(group: string, binding: string): Acl[] {
  const purpose = `write the output of binding ${binding} exactly once`;
  return [{ resource: 'transactional-id', name: `${group}.`, isPrefix: true, operation: 'WRITE', purpose }];
}

function topic(name: string, operation: AclOperation, purpose: string): Acl {
  return { resource: 'topic', name, isPrefix: false, operation, purpose };
}

function topics(name: string, operation: AclOperation, purpose: string): Acl {
  return { resource: 'topic', name, isPrefix: true, operation, purpose };
}

function group(name: string, purpose: string): Acl {
  return { resource: 'group', name, isPrefix: false, operation: 'READ', purpose };
}

function configuring(name: string, model: string): Acl {
  return { ...group(name, `start with the earliest request of model ${model}`), operation: 'ALTER_CONFIGS' };
}

function groups(name: string, purpose: string): Acl {
  return { resource: 'group', name, isPrefix: true, operation: 'READ', purpose };
}

function cluster(operation: AclOperation, purpose: string): Acl {
  return { resource: 'cluster', name: CLUSTER, isPrefix: false, operation, purpose };
}

/** Returns the commands that grant the permissions to `principal`, one per resource. */
export function aclCommands(acls: readonly Acl[], principal: string): string[] {
  const byResource = new Map<string, AclOperation[]>();
  for (const acl of acls) {
    const flags = resourceFlags(acl);
    byResource.set(flags, [...(byResource.get(flags) ?? []), acl.operation]);
  }
  return Array.from(byResource, ([flags, operations]) => {
    const wanted = [...new Set(operations)].map((operation) => `--operation ${operationFlag(operation)}`);
    return `kafka-acls.sh --add --allow-principal ${principal} ${flags} ${wanted.join(' ')}`;
  });
}

export function resourceFlags({
  resource,
  name,
  isPrefix,
}: Pick<Acl, 'resource' | 'name' | 'isPrefix'>): string {
  if (resource === 'cluster') return '--cluster';
  return `--${resource} ${name}${isPrefix ? ' --resource-pattern-type prefixed' : ''}`;
}

/** Spells an operation as Kafka's command-line tools do: `DESCRIBE_CONFIGS` as `DescribeConfigs`. */
export function operationFlag(operation: string): string {
  return operation
    .toLowerCase()
    .split('_')
    .map((part) => `${part.slice(0, 1).toUpperCase()}${part.slice(1)}`)
    .join('');
}

/** Describes a missing permission in one sentence that names resource, operation and role. */
export function lacking(role: Role, operation: AclOperation, resource: string, reason: string): string {
  return `a ${role} needs ${operation} on ${resource}: ${reason}; \`partitura acls ${role}\` prints all required ACLs`;
}
