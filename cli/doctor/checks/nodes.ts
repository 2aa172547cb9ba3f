import type { KnownNode } from '../../../core/node-directory.js';
import { duration, ok, problem, unknown, warning, type Finding } from '../finding.js';

const AREA = 'nodes';
const CLOCKS = 'clocks';
/** Nodes beat every two seconds. */
const BEAT_MS = 2_000;
const SKEW_WARNING_MS = 1_000;
const SKEW_PROBLEM_MS = 10_000;

/** Nodes that are there, that vanished, and what they can't serve. */
export function checkNodes(nodes: readonly KnownNode[], now: number): Finding[] {
  const alive = nodes.filter((node) => node.alive);
  const findings: Finding[] = nodes
    .filter((node) => !node.alive)
    .map(({ node, host, beatAt }) =>
      warning(
        AREA,
        `${node} on ${host} has been silent for ${duration(now - beatAt)}`,
        'if it was to stop, nothing: others have its partitions; else look at its log',
      ),
    );
  if (alive.length === 0)
    findings.push(problem(AREA, 'no node is alive', 'partitura node --models <repository>'));
  for (const { node, models, bindings } of alive) {
    const failedModels = models.filter(({ state }) => state === 'FAILED');
    const failedBindings = bindings.filter(({ state }) => state === 'FAILED');
    for (const { model, version, message } of failedModels)
      findings.push(
        problem(
          AREA,
          `${node}: model ${model}/${version}: ${message ?? 'failed'}`,
          'correct the files, or take the version out of the repository',
        ),
      );
    for (const { binding, message } of failedBindings)
      findings.push(
        problem(
          AREA,
          `${node}: binding ${binding}: ${message ?? 'failed'}`,
          'correct its file and apply it again: partitura bind apply',
        ),
      );
    if (failedModels.length + failedBindings.length === 0)
      findings.push(
        ok(
          AREA,
          `${node}: ${[...new Set(models.map(({ model }) => model))].join(', ') || 'no model'}${bindings.length > 0 ? `, bindings ${bindings.map(({ binding }) => binding).join(', ')}` : ''}`,
        ),
      );
  }
  return findings;
}

/** A sign of life of a node, by both clocks. */
export interface Beat {
  readonly node: string;
  /** By the node's clock. */
  readonly beatAt: number;
  /** By the broker's. */
  readonly appendedAt: number;
}

/** Signs of life as they were read from their topic. */
export interface Beats {
  readonly topic: string;
  /** The latest of each node that is alive; undefined when the broker's clock is not in them. */
  readonly beats: readonly Beat[] | undefined;
  /** When they were read, by the clock here. */
  readonly readAt: number;
}

/** The clocks of nodes, broker and this machine: deadlines are set by senders' and judged by nodes'. */
export function checkClocks({ topic, beats, readAt }: Beats): Finding[] {
  if (!beats)
    return [
      unknown(
        CLOCKS,
        `${topic} does not keep the broker's time, so clocks can't be compared`,
        `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config message.timestamp.type=LogAppendTime`,
      ),
    ];
  if (beats.length === 0)
    return [unknown(CLOCKS, 'no node beats, so clocks can not be compared', 'start a node')];
  const newest = Math.max(...beats.map(({ appendedAt }) => appendedAt));
  const age = readAt - newest;
  const here = age < 0 ? age : Math.max(0, age - BEAT_MS);
  const skews = beats.map(({ node, beatAt, appendedAt }) => skew(node, beatAt - appendedAt));
  return [...skews, skew('this machine', here)];
}

function skew(who: string, ms: number): Finding {
  const size = Math.abs(ms);
  const what = `the clock of ${who} is ${duration(size)} ${ms < 0 ? 'behind' : 'ahead of'} the broker's`;
  if (size < SKEW_WARNING_MS)
    return ok(CLOCKS, `the clock of ${who} agrees with the broker's within a second`);
  const level = size < SKEW_PROBLEM_MS ? warning : problem;
  return level(CLOCKS, `${what}: deadlines are judged wrongly by as much`, 'set it by NTP');
}
