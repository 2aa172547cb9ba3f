import { deadLetterTopic, type BindingDefinition } from './bindings/definition.js';
import { topicNames } from './topics.js';

/** Roles that work with a cluster, each with rights of its own. */
export const ROLES = ['node', 'node-with-bindings', 'client', 'operator', 'read-only'] as const;
export type Role = (typeof ROLES)[number];

export type AclResource = 'topic' | 'group' | 'transactional-id' | 'cluster';
export type AclOperation = 'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS';

/** One right. READ, WRITE and DELETE of a topic, and READ of a group, include DESCRIBE. */
export interface Acl {
  readonly resource: AclResource;
  /** `kafka-cluster` for the cluster. */
  readonly name: string;
  /** True when `name` is a prefix of resource names. */
  readonly isPrefix: boolean;
  readonly operation: AclOperation;
  /** Purpose of the right. */
  readonly purpose: string;
}

export interface AclScope {
  readonly prefix: string;
  readonly models: readonly string[];
  /** Reply topics, beside those of the cluster, that requests may name. */
  readonly replyTopics: readonly string[];
  readonly bindings: readonly BindingDefinition[];
  /** kafkajs reads topics only as a member of a group. */
  /** True if the Kafka client reads topics without a group. */
  readonly groupless: boolean;
  /** True when nodes create topics; otherwise topics must exist before nodes start. */
  readonly createsTopics: boolean;
}

const CLUSTER = 'kafka-cluster';

/** The least rights with which a role does all of its work: the one table of `partitura acls` and `partitura doctor`. */
export function aclsFor(role: Role, scope: AclScope): readonly Acl[] {
  return ACLS[role](scope);
}

const ACLS: Readonly<Record<Role, (scope: AclScope) => readonly Acl[]>> = {
  node: nodeAcls,
  'node-with-bindings': (scope) => [...nodeAcls(scope), ...bindingAcls(scope)],
  client: clientAcls,
  operator: operatorAcls,
  'read-only': readOnlyAcls,
};

function nodeAcls({ prefix, models, replyTopics, createsTopics }: AclScope): Acl[] {
  const names = topicNames(prefix);
  return [
    topic(names.nodes, 'WRITE', 'tell the cluster of this node'),
    topic(names.clientReplies, 'WRITE', 'reply to clients of the library'),
    ...replyTopics.map((name) => topic(name, 'WRITE', 'reply where requests ask for it')),
    ...models.flatMap((model) => [
      topic(names.requests(model), 'READ', `read requests of model ${model}`),
      group(names.group(model), `share the requests of model ${model}`),
      topic(names.replies(model), 'WRITE', `reply to requests of model ${model} that name no reply topic`),
      topic(names.deadLetters(model), 'WRITE', `keep requests of model ${model} that cannot be processed`),
    ]),
    ...(createsTopics ? creating(prefix) : []),
  ];
}

function bindingAcls({ prefix, bindings, groupless }: AclScope): Acl[] {
  const names = topicNames(prefix);
  return [
    topic(names.bindings, 'READ', 'read the bindings that are applied'),
    ...(groupless ? [] : [groups(`${names.bindings}.`, 'read the bindings with kafkajs')]),
    ...bindings.flatMap((binding) => {
      const { name, source, output, exactlyOnce } = binding;
      return [
        topic(source.topic, 'READ', `read the source of binding ${name}`),
        group(names.bindingGroup(name), `share the source of binding ${name}`),
        topic(output.topic, 'WRITE', `write the output of binding ${name}`),
        topic(deadLetterTopic(binding), 'WRITE', `keep records of binding ${name} that cannot be processed`),
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
    ...(groupless ? [] : [groups(`${prefix}.client.`, 'read replies with kafkajs')]),
  ];
}

function operatorAcls(scope: AclScope): Acl[] {
  const { prefix, createsTopics } = scope;
  return [
    ...readOnlyAcls(scope),
    topics(`${prefix}.`, 'WRITE', 'apply bindings, replay and drop dead letters'),
    topics(`${prefix}.`, 'DELETE', 'delete dead letters that were dropped'),
    ...(createsTopics ? creating(prefix) : []),
  ];
}

function readOnlyAcls({ prefix, groupless }: AclScope): Acl[] {
  return [
    topics(`${prefix}.`, 'READ', 'look at nodes, models, bindings, dead letters and requests'),
    topics(`${prefix}.`, 'DESCRIBE_CONFIGS', 'examine the settings of topics'),
    { ...groups(`${prefix}.`, 'look at positions and lag'), operation: 'DESCRIBE' },
    ...(groupless ? [] : [groups('partitura.read.', 'read topics with kafkajs')]),
    cluster('DESCRIBE_CONFIGS', 'examine the settings of brokers'),
  ];
}

function creating(prefix: string): Acl[] {
  return [topics(`${prefix}.`, 'CREATE', 'create the topics that are missing')];
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

function groups(name: string, purpose: string): Acl {
  return { resource: 'group', name, isPrefix: true, operation: 'READ', purpose };
}

function cluster(operation: AclOperation, purpose: string): Acl {
  return { resource: 'cluster', name: CLUSTER, isPrefix: false, operation, purpose };
}

/** Commands that give the rights to `principal`, one for each resource. */
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

/** `DESCRIBE_CONFIGS` as the commands of Kafka spell it: `DescribeConfigs`. */
export function operationFlag(operation: string): string {
  return operation
    .toLowerCase()
    .split('_')
    .map((part) => `${part.slice(0, 1).toUpperCase()}${part.slice(1)}`)
    .join('');
}

/** Describes a missing right in one sentence that names resource, operation and role. */
export function lacking(role: Role, operation: AclOperation, resource: string, reason: string): string {
  return `a ${role} needs ${operation} on ${resource}: ${reason}; \`partitura acls ${role}\` prints all that it needs`;
}
