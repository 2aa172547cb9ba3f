import type { GroupFacts, Subscription } from '../../../kafka/inspector.js';
import { lagOf, type GroupPosition } from '../../../kafka/reading/lag.js';
import { counted, ok, problem, unknown, unavailable, warning, type Finding } from '../finding.js';

const AREA = 'groups';

/** A group, or why it can't be seen, part by part. */
export interface ExaminedGroup {
  readonly group: string;
  readonly topic: string;
  readonly facts: GroupFacts | Error;
  readonly partitions: readonly GroupPosition[] | Error;
}

/** Who reads a topic, how far behind it is, and whether records went unread. */
export function checkGroup({ group, topic, facts, partitions }: ExaminedGroup): Finding[] {
  if (!(facts instanceof Error) && facts.state === 'hidden')
    return [unknown(AREA, `${group} may not be described by us`, `allow DESCRIBE on group ${group}`)];
  const findings: Finding[] = [];
  if (partitions instanceof Error)
    findings.push(
      unavailable(
        AREA,
        `${group}: how far it is in ${topic}`,
        partitions,
        `DESCRIBE on group ${group} and topic ${topic}`,
      ),
    );
  else findings.push(...deleted(topic, group, partitions), ...beyond(topic, group, partitions));
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

/** Names members that do not read the topic: other programs that use the name of the group. */
function checkForeign(topic: string, group: string, foreign: readonly Subscription[]): Finding[] {
  return foreign.map(({ clientId, host, topics }) =>
    warning(
      AREA,
      `${group}: '${clientId}' at ${host} is a member and does not read ${topic}, but ${topics.join(', ')}`,
      `give that program a group id of its own: every start of it delays the nodes of ${group}`,
    ),
  );
}

/** @param partitions an error where nothing is known of them, which has been told already */
function checkMembers(
  topic: string,
  { group, state, members }: GroupFacts,
  partitions: ExaminedGroup['partitions'],
): Finding[] {
  const lag = partitions instanceof Error ? 0 : lagOf(partitions);
  const waiting =
    partitions instanceof Error
      ? 'what waits is not known'
      : `${counted(lag, 'record')} of ${topic} ${lag === 1 ? 'waits' : 'wait'}`;
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
        'a rebalance takes seconds: if it goes on, look at the log of the nodes',
      ),
    );
  } else if (members !== undefined && !(partitions instanceof Error) && members > partitions.length) {
    findings.push(
      warning(
        AREA,
        `${group}: ${members} nodes share ${counted(partitions.length, 'partition')}: ${members - partitions.length} of them have nothing to do`,
        `kafka-topics.sh --alter --topic ${topic} --partitions ${members} (keys go to other partitions then), or stop some`,
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
      `${group}: its position is beyond the end of ${topic} (partitions ${wrong.map(({ partition }) => partition).join(', ')}), as when a topic was made anew`,
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
      'raise retention.ms and retention.bytes of the topic, and ask their senders to send again',
    ),
  ];
}
