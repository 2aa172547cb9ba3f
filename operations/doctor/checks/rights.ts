import { operationFlag, type Acl } from '../../../cluster/acls.js';
import type { ClusterFacts, Rights } from '../../../kafka/inspector.js';
import { counted, orOk, unknown, warning, type Finding } from '../finding.js';
import type { ExaminedGroup } from './groups.js';
import type { ExaminedTopic } from './topics.js';

const AREA = 'rights';

/** A resource that a node uses, with the operations that the broker allows us. */
interface Resource {
  readonly name: string;
  readonly flag: string;
  readonly rights: Rights;
  readonly needed: readonly string[];
}

/** The resources of a cluster that carry rights. */
export interface ExaminedResources {
  readonly topics: readonly ExaminedTopic[];
  readonly groups: readonly ExaminedGroup[];
  readonly cluster: ClusterFacts | undefined;
}

/**
 * Checks that a node with our login has all the rights it needs.
 * @param acls what a node needs
 * @param user undefined if the login has no name, or one that only the broker knows
 */
export function checkRights(
  acls: readonly Acl[],
  user: string | undefined,
  { topics, groups, cluster }: ExaminedResources,
): readonly Finding[] {
  const resources = [
    ...topics.flatMap((topic) => ofTopic(topic, acls)),
    ...groups.map((group) => ofGroup(group, acls)),
    ...(topics.some(({ facts }) => !facts) ? [ofCluster(cluster)] : []),
  ];
  const principal = `--allow-principal User:${user ?? '<the user of this connection>'}`;
  const findings = [
    ...resources.flatMap((resource) => missing(resource, principal)),
    ...unknownRights(resources.filter(({ rights }) => rights === undefined)),
  ];
  if (resources.length === 0) return findings;
  return orOk(
    findings,
    AREA,
    `${user ?? 'the user of this connection'} has all rights of a node on ${counted(topics.length, 'topic')} and ${counted(groups.length, 'group')}`,
  );
}

/** Lists the operations that a node needs on a resource; none on topics of other roles. */
function needed(acls: readonly Acl[], resource: Acl['resource'], name: string): string[] {
  return acls
    .filter((acl) => acl.resource === resource && !acl.isPrefix && acl.name === name)
    .map(({ operation }) => operation);
}

function ofTopic({ topic, facts }: ExaminedTopic, acls: readonly Acl[]): Resource[] {
  const wanted = needed(acls, 'topic', topic);
  if (!facts || wanted.length === 0) return [];
  return [{ name: `topic ${topic}`, flag: `--topic ${topic}`, rights: facts.rights, needed: wanted }];
}

function ofGroup({ group, facts }: ExaminedGroup, acls: readonly Acl[]): Resource {
  const rights = facts instanceof Error ? undefined : facts.rights;
  return { name: `group ${group}`, flag: `--group ${group}`, rights, needed: needed(acls, 'group', group) };
}

function ofCluster(cluster: ClusterFacts | undefined): Resource {
  return { name: 'cluster', flag: '--cluster', rights: cluster?.rights, needed: ['CREATE'] };
}

function missing({ name, flag, rights, needed }: Resource, principal: string): Finding[] {
  const lacking = rights ? needed.filter((right) => !rights.has(right)) : [];
  if (lacking.length === 0) return [];
  const add = lacking.map((right) => `--operation ${operationFlag(right)}`).join(' ');
  return [
    warning(
      AREA,
      `${name}: a node with this login lacks ${lacking.join(', ')}`,
      `kafka-acls.sh --add ${principal} ${flag} ${add}`,
    ),
  ];
}

function unknownRights(resources: readonly Resource[]): Finding[] {
  if (resources.length === 0) return [];
  const names = resources.map(({ name }) => name).join(', ');
  return [
    unknown(AREA, `rights unknown on ${names}`, 'Kafka 2.3 or later reports the rights on visible resources'),
  ];
}
