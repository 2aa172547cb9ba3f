import type { GroupFacts } from '../../../core/kafka/inspector.js';
import { counted, ok, problem, unknown, warning, type Finding } from '../finding.js';

const AREA = 'groups';

export interface ExaminedGroup {
  readonly facts: GroupFacts;
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly start: number;
    readonly end: number;
    /** -1 where there is none. */
    readonly committed: number;
  }[];
}

/** Who reads a topic, how far behind it is, and whether records went unread. */
export function checkGroup({ facts, topic, partitions }: ExaminedGroup): Finding[] {
  const { group, state, members } = facts;
  const lag = partitions.reduce(
    (sum, { start, end, committed }) => sum + end - Math.max(start, committed),
    0,
  );
  const waiting = `${counted(lag, 'record')} of ${topic} ${lag === 1 ? 'waits' : 'wait'}`;
  if (state === 'hidden')
    return [unknown(AREA, `${group} may not be described by us`, `allow DESCRIBE on group ${group}`)];
  const findings = deleted(topic, group, partitions);
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
  } else if (members !== undefined && members > partitions.length) {
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

function deleted(topic: string, group: string, partitions: ExaminedGroup['partitions']): Finding[] {
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
