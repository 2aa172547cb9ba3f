import type { GroupFacts, Subscription } from '../../../kafka/inspector.js';
import { lagOf, type GroupPosition } from '../../../kafka/reading/lag.js';
import { counted, ok, problem, unknown, unavailable, warning, type Finding } from '../finding.js';

const AREA = 'groups';

/** A group; each part may be the error that hid it. */
export interface ExaminedGroup {
  readonly group: string;
  readonly topic: string;
  readonly facts: GroupFacts | Error;
  readonly partitions: readonly GroupPosition[] | Error;
  /** Live nodes that take the topic's records from a share group; undefined for a consumer group. */
  readonly sharingNodes?: number | undefined;
}

/** Checks the members, lag and lost records of a group. */
export function checkGroup({ group, topic, facts, partitions, sharingNodes }: ExaminedGroup): Finding[] {
  if (!(facts instanceof Error) && facts.state === 'hidden')
    return [unknown(AREA, `not authorized to describe ${group}`, `allow DESCRIBE on group ${group}`)];
  const findings: Finding[] = [];
  if (partitions instanceof Error)
    findings.push(
      unavailable(
        AREA,
        `${group}: offsets in ${topic}`,
        partitions,
        `DESCRIBE on group ${group} and topic ${topic}`,
      ),
    );
  else findings.push(...deleted(topic, group, partitions), ...beyond(topic, group, partitions));
  if (sharingNodes !== undefined && !(partitions instanceof Error))
    findings.push(...checkSharing(topic, group, partitions.length, sharingNodes));
  if (facts instanceof Error)
    return [...findings, unavailable(AREA, group, facts, `DESCRIBE on group ${group}`)];
  const foreign = (facts.subscriptions ?? []).filter(
    ({ topics }) => topics.length > 0 && !topics.includes(topic),
  );
  const members = facts.members === undefined ? undefined : facts.members - foreign.length;
  return [
    ...findings,
    ...checkForeign(topic, facts.group, foreign),
    ...checkMembers(topic, { ...facts, members }, partitions),
  ];
}

/** Nodes per partition from which brokers let them share it. */
const NODES_PER_PARTITION = 3;

/** Reports a queue that is divided rather than shared: the broker's assignor shares a partition among surplus members only. */
function checkSharing(topic: string, group: string, partitions: number, nodes: number): Finding[] {
  if (partitions === 1 || partitions * NODES_PER_PARTITION <= nodes) return [];
  return [
    warning(
      AREA,
      `${group}: ${counted(nodes, 'node')} divide ${counted(partitions, 'partition')} of ${topic} among themselves instead of sharing them: a slow node delays its part`,
      `run at least ${partitions * NODES_PER_PARTITION} nodes, or recreate the topic with one partition once it is empty`,
    ),
  ];
}

/** Reports members that do not read the topic: other programs that use the same group id. */
function checkForeign(topic: string, group: string, foreign: readonly Subscription[]): Finding[] {
  return foreign.map(({ clientId, host, topics }) =>
    warning(
      AREA,
      `${group}: '${clientId}' at ${host} is a member but reads ${topics.join(', ')}, not ${topic}`,
      `give that program its own group id: each of its restarts rebalances the nodes of ${group}`,
    ),
  );
}

/** @param partitions an error if they are unknown, which is reported already */
function checkMembers(
  topic: string,
  { group, state, members }: GroupFacts,
  partitions: ExaminedGroup['partitions'],
): Finding[] {
  const lag = partitions instanceof Error ? 0 : lagOf(partitions);
  const waiting = partitions instanceof Error ? 'lag unknown' : `lag ${counted(lag, 'record')} of ${topic}`;
  const findings: Finding[] = [];
  if (members === 0 || state === 'Empty' || state === 'Dead') {
    const level = lag > 0 ? problem : warning;
    findings.push(
      level(AREA, `${group}: no node reads ${topic}; ${waiting}`, 'start a node that serves the model'),
    );
  } else if (state !== 'Stable') {
    findings.push(
      warning(
        AREA,
        `${group}: ${state}; ${waiting}`,
        'a rebalance takes seconds: if it lasts longer, check the node logs',
      ),
    );
  } else if (members !== undefined && !(partitions instanceof Error) && members > partitions.length) {
    findings.push(
      warning(
        AREA,
        `${group}: ${members} nodes share ${counted(partitions.length, 'partition')}: ${members - partitions.length} of them are idle`,
        `kafka-topics.sh --alter --topic ${topic} --partitions ${members} (this moves keys to other partitions), or stop some nodes`,
      ),
    );
  } else {
    const nodes = members === undefined ? 'its nodes' : counted(members, 'node');
    findings.push(ok(AREA, `${group}: ${nodes}, ${waiting}`));
  }
  return findings;
}

function beyond(topic: string, group: string, partitions: readonly GroupPosition[]): Finding[] {
  const wrong = partitions.filter(({ end, committed }) => committed > end);
  if (wrong.length === 0) return [];
  return [
    problem(
      AREA,
      `${group}: committed offsets are beyond the end of ${topic} (partitions ${wrong.map(({ partition }) => partition).join(', ')}); the topic was probably recreated`,
      `stop its nodes, then kafka-consumer-groups.sh --reset-offsets --to-earliest --group ${group} --topic ${topic} --execute`,
    ),
  ];
}

function deleted(topic: string, group: string, partitions: readonly GroupPosition[]): Finding[] {
  const lost = partitions.filter(({ start, committed }) => committed >= 0 && committed < start);
  if (lost.length === 0) return [];
  const count = lost.reduce((sum, { start, committed }) => sum + start - committed, 0);
  return [
    problem(
      AREA,
      `${group}: ${counted(count, 'record')} of ${topic} (partitions ${lost.map(({ partition }) => partition).join(', ')}) were deleted before they were answered`,
      'raise retention.ms and retention.bytes of the topic, and ask the senders to resend',
    ),
  ];
}
