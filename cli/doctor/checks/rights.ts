import type { ClusterFacts, GroupFacts, Rights } from '../../../core/kafka/inspector.js';
import { orOk, unknown, warning, type Finding } from '../finding.js';
import type { ExaminedTopic, TopicRole } from './topics.js';

const AREA = 'rights';

/** What a node does with topics. */
const NODE_NEEDS: Readonly<Record<TopicRole, readonly string[]>> = {
  requests: ['READ', 'DESCRIBE'],
  replies: ['WRITE', 'DESCRIBE'],
  'dead letters': ['WRITE', 'DESCRIBE'],
  own: ['READ', 'WRITE', 'DESCRIBE'],
};

/** Whether a node that logs in as we do might do its work. */
export function checkRights(
  user: string,
  topics: readonly ExaminedTopic[],
  groups: readonly GroupFacts[],
  cluster: ClusterFacts,
): readonly Finding[] {
  if (cluster.rights === undefined && topics.every(({ facts }) => facts?.rights === undefined))
    return [unknown(AREA, 'the broker does not tell what we may do', 'Kafka 2.3 or later does')];
  const principal = `--allow-principal User:${user}`;
  const findings = [
    ...topics.flatMap(({ topic, role, facts }) =>
      missing(`topic ${topic}`, facts?.rights, NODE_NEEDS[role], `${principal} --topic ${topic}`),
    ),
    ...groups.flatMap(({ group, rights }) =>
      missing(`group ${group}`, rights, ['READ'], `${principal} --group ${group}`),
    ),
  ];
  const isToCreate = topics.some(({ facts }) => !facts);
  if (isToCreate) findings.push(...missing('cluster', cluster.rights, ['CREATE'], `${principal} --cluster`));
  return orOk(
    findings,
    AREA,
    `${user} may do what a node does with ${topics.length} topics and their groups`,
  );
}

function missing(where: string, rights: Rights, needed: readonly string[], who: string): Finding[] {
  const lacking = rights ? needed.filter((right) => !rights.has(right)) : [];
  if (lacking.length === 0) return [];
  const add = lacking.map((right) => `--operation ${right[0]}${right.slice(1).toLowerCase()}`).join(' ');
  return [
    warning(
      AREA,
      `${where}: a node that logs in like this needs ${lacking.join(', ')}`,
      `kafka-acls.sh --add ${who} ${add}`,
    ),
  ];
}
