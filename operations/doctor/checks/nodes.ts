import { SILENT_AFTER_MS, type ReportedStatus, type KnownNode } from '../../../cluster/node-directory.js';
import { KafkaError } from '../../../kafka/port.js';
import { isModelName } from '../../../schemas/model-name.js';
import { duration, ok, problem, setTopic, unknown, unavailable, warning, type Finding } from '../finding.js';

const AREA = 'nodes';
const CLOCKS = 'clocks';
/** Nodes beat every two seconds. */
const BEAT_MS = 2_000;
const SKEW_WARNING_MS = 1_000;
const SKEW_PROBLEM_MS = 10_000;

export interface ClassifiedNode extends KnownNode {
  /** Since it was heard of last. */
  readonly silentMs: number;
}

/** When any node was heard of last. */
export function newestOf(heard: readonly ReportedStatus[]): number {
  return Math.max(-Infinity, ...heard.map(({ recordedAt }) => recordedAt));
}

/** Whether the clock here leaves open if nodes are silent or clocks differ: only a later look tells. */
export function isToBeWatched(heard: readonly ReportedStatus[], now: number): boolean {
  const age = now - newestOf(heard);
  return heard.length > 0 && (age < 0 || age >= SILENT_AFTER_MS);
}

/**
 * Whether nodes live, by the broker's clock alone, which all their records have.
 * @param isBeating whether any of them was heard of just now
 */
export function classifyByBroker(
  heard: readonly ReportedStatus[],
  isBeating: boolean,
  now: number,
): ClassifiedNode[] {
  const latest = isBeating ? newestOf(heard) : now;
  return heard.map(({ status, recordedAt }) => {
    const silentMs = latest - recordedAt;
    return { ...status, alive: isBeating && silentMs < SILENT_AFTER_MS, silentMs };
  });
}

/** The same where there is nothing but the nodes' own clocks and the one here. */
export function classifyByClock(heard: readonly ReportedStatus[], now: number): ClassifiedNode[] {
  return heard.map(({ status }) => {
    const silentMs = now - status.beatAt;
    return { ...status, alive: silentMs < SILENT_AFTER_MS, silentMs };
  });
}

/** Nodes that are there, that vanished, and what they can't serve. */
export function checkNodes(nodes: readonly ClassifiedNode[]): Finding[] {
  const alive = nodes.filter((node) => node.alive);
  const findings: Finding[] = nodes
    .filter((node) => !node.alive)
    .map(({ node, host, silentMs }) =>
      warning(
        AREA,
        `${node} on ${host} has been silent for ${duration(silentMs)}`,
        'if it was to stop, nothing: others have its partitions; else look at its log',
      ),
    );
  if (alive.length === 0)
    findings.push(problem(AREA, 'no node is alive', 'partitura node --models <repository>'));
  for (const { node, models, bindings } of alive) {
    const strangers = strange(node, models);
    findings.push(...strangers);
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
    if (strangers.length + failedModels.length + failedBindings.length === 0)
      findings.push(
        ok(
          AREA,
          `${node}: ${[...new Set(models.map(({ model }) => model))].join(', ') || 'no model'}${bindings.length > 0 ? `, bindings ${bindings.map(({ binding }) => binding).join(', ')}` : ''}`,
        ),
      );
  }
  return findings;
}

/** Nodes serve models of proper names only. */
function strange(node: string, models: ClassifiedNode['models']): Finding[] {
  const wrong = models.filter(({ model }) => !isModelName(model)).map(({ model }) => `'${model}'`);
  if (wrong.length === 0) return [];
  return [
    warning(
      AREA,
      `${node}: tells of ${wrong.join(', ')}, which can be no model: somebody else writes as a node`,
      'allow WRITE on the topic of nodes to nodes alone',
    ),
  ];
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
  /** The latest of each node that is alive; undefined when the broker's clock is not in them, or why that is not known. */
  readonly beats: readonly Beat[] | Error | undefined;
  /** When they were read, by the clock here. */
  readonly readAt: number;
}

/** The clocks of nodes, broker and this machine: deadlines are set by senders' and judged by nodes'. */
export function checkClocks({ topic, beats, readAt }: Beats): Finding[] {
  if (beats instanceof KafkaError && beats.kind === 'unknown-topic')
    return [unknown(CLOCKS, `${topic} does not exist, so clocks can't be compared`, 'start a node')];
  if (beats instanceof Error)
    return [
      unavailable(
        CLOCKS,
        `whether ${topic} keeps the broker's time`,
        beats,
        `DESCRIBE_CONFIGS on topic ${topic}`,
      ),
    ];
  if (!beats)
    return [
      unknown(
        CLOCKS,
        `${topic} does not keep the broker's time, so clocks can't be compared`,
        setTopic(topic, 'message.timestamp.type=LogAppendTime'),
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
