import { SILENT_AFTER_MS, type ReportedStatus, type KnownNode } from '../../../cluster/node-directory.js';
import { KafkaError } from '../../../kafka/port.js';
import { isModelName } from '../../../schemas/model-name.js';
import {
  duration,
  ok,
  orOk,
  problem,
  setTopic,
  unknown,
  unavailable,
  warning,
  type Finding,
} from '../finding.js';

const AREA = 'nodes';
const CLOCKS = 'clocks';
/** Nodes beat every two seconds. */
const BEAT_MS = 2_000;
const SKEW_WARNING_MS = 1_000;
const SKEW_PROBLEM_MS = 10_000;

export interface ClassifiedNode extends KnownNode {
  /** Time since its last heartbeat. */
  readonly silentMs: number;
}

/** Returns the time of the latest heartbeat of any node. */
export function newestOf(statuses: readonly ReportedStatus[]): number {
  return Math.max(-Infinity, ...statuses.map(({ recordedAt }) => recordedAt));
}

/** Returns true if silence cannot be distinguished from clock skew yet, so that a second reading is needed. */
export function needsSecondReading(statuses: readonly ReportedStatus[], now: number): boolean {
  const age = now - newestOf(statuses);
  return statuses.length > 0 && (age < 0 || age >= SILENT_AFTER_MS);
}

/**
 * Classifies nodes as alive or silent by the broker timestamps of their records alone.
 * @param isBeating true if any node has just sent a heartbeat
 */
export function classifyByBroker(
  statuses: readonly ReportedStatus[],
  isBeating: boolean,
  now: number,
): ClassifiedNode[] {
  const latest = isBeating ? newestOf(statuses) : now;
  return statuses.map(({ status, recordedAt }) => {
    const silentMs = latest - recordedAt;
    return { ...status, alive: isBeating && silentMs < SILENT_AFTER_MS, silentMs };
  });
}

/** Classifies nodes by their own clocks and the local one, if the topic has no broker timestamps. */
export function classifyByClock(statuses: readonly ReportedStatus[], now: number): ClassifiedNode[] {
  return statuses.map(({ status }) => {
    const silentMs = now - status.beatAt;
    return { ...status, alive: silentMs < SILENT_AFTER_MS, silentMs };
  });
}

/** Reports live and silent nodes, and models and bindings that failed. */
export function checkNodes(nodes: readonly ClassifiedNode[]): Finding[] {
  const alive = nodes.filter((node) => node.alive);
  const silent = nodes.filter((node) => !node.alive);
  return [
    ...silent.map(silentNode),
    ...(alive.length === 0
      ? [problem(AREA, 'no node is alive', 'partitura node --models <repository>')]
      : []),
    ...alive.flatMap(checkNode),
  ];
}

function silentNode({ node, host, silentMs }: ClassifiedNode): Finding {
  return warning(
    AREA,
    `${node} on ${host} has been silent for ${duration(silentMs)}`,
    'nothing if it was stopped: its partitions are reassigned; otherwise check its log',
  );
}

/** Checks a live node. */
function checkNode({ node, models, bindings }: ClassifiedNode): readonly Finding[] {
  const modelNames = [...new Set(models.map(({ model }) => model))].join(', ') || 'no model';
  const bindingNames = bindings.map(({ binding }) => binding).join(', ');
  return orOk(
    [
      ...invalidNames(node, models),
      ...failedModels(node, models),
      ...otherDeliveries(node, models),
      ...failedBindings(node, bindings),
    ],
    AREA,
    `${node}: ${modelNames}${bindings.length > 0 ? `, bindings ${bindingNames}` : ''}`,
  );
}

function failedModels(node: string, models: ClassifiedNode['models']): Finding[] {
  return models
    .filter(({ state }) => state === 'FAILED')
    .map(({ model, version, message }) =>
      problem(
        AREA,
        `${node}: model ${model}/${version}: ${message ?? 'failed'}`,
        'correct the files or remove the version from the repository',
      ),
    );
}

/** Reports models whose requests are delivered otherwise than configured. */
function otherDeliveries(node: string, models: ClassifiedNode['models']): Finding[] {
  const notes = new Map(models.map(({ model, deliveryNote }) => [model, deliveryNote]));
  return [...notes].flatMap(([model, note]) =>
    note === null
      ? []
      : [warning(AREA, `${node}: model ${model}: ${note}`, 'see "Delivery" in docs/OPERATIONS.md')],
  );
}

function failedBindings(node: string, bindings: ClassifiedNode['bindings']): Finding[] {
  return bindings
    .filter(({ state }) => state === 'FAILED')
    .map(({ binding, message }) =>
      problem(
        AREA,
        `${node}: binding ${binding}: ${message ?? 'failed'}`,
        'correct its file and apply it again: partitura bind apply',
      ),
    );
}

/** Reports invalid model names: nodes serve valid ones only. */
function invalidNames(node: string, models: ClassifiedNode['models']): Finding[] {
  const wrong = models.filter(({ model }) => !isModelName(model)).map(({ model }) => `'${model}'`);
  if (wrong.length === 0) return [];
  return [
    warning(
      AREA,
      `${node}: reports ${wrong.join(', ')}, not a valid model name: another program is writing to the node topic`,
      'allow only nodes to WRITE to the node topic',
    ),
  ];
}

/** A heartbeat of a node, by both clocks. */
export interface Beat {
  readonly node: string;
  /** By the node's clock. */
  readonly beatAt: number;
  /** By the broker's. */
  readonly appendedAt: number;
}

/** Heartbeats read from the node topic. */
export interface Beats {
  readonly topic: string;
  /** The latest of each live node; undefined without broker timestamps; an error if the topic settings are unknown. */
  readonly beats: readonly Beat[] | Error | undefined;
  /** Time of reading, by the local clock. */
  readonly readAt: number;
}

/** Compares the clocks of nodes, broker and this host: senders set deadlines, and nodes enforce them, by their own clocks. */
export function checkClocks({ topic, beats, readAt }: Beats): Finding[] {
  if (beats instanceof KafkaError && beats.kind === 'unknown-topic')
    return [unknown(CLOCKS, `${topic} does not exist, so clocks cannot be compared`, 'start a node')];
  if (beats instanceof Error)
    return [
      unavailable(CLOCKS, `message.timestamp.type of ${topic}`, beats, `DESCRIBE_CONFIGS on topic ${topic}`),
    ];
  if (!beats)
    return [
      unknown(
        CLOCKS,
        `${topic} has no broker timestamps, so clocks cannot be compared`,
        setTopic(topic, 'message.timestamp.type=LogAppendTime'),
      ),
    ];
  if (beats.length === 0)
    return [unknown(CLOCKS, 'no node is alive, so clocks cannot be compared', 'start a node')];
  const newest = Math.max(...beats.map(({ appendedAt }) => appendedAt));
  const age = readAt - newest;
  const here = age < 0 ? age : Math.max(0, age - BEAT_MS);
  const skews = beats.map(({ node, beatAt, appendedAt }) => skew(node, beatAt - appendedAt));
  return [...skews, skew('this host', here)];
}

function skew(owner: string, ms: number): Finding {
  const size = Math.abs(ms);
  const what = `the clock of ${owner} is ${duration(size)} ${ms < 0 ? 'behind' : 'ahead of'} the broker's`;
  if (size < SKEW_WARNING_MS)
    return ok(CLOCKS, `the clock of ${owner} agrees with the broker's within a second`);
  const level = size < SKEW_PROBLEM_MS ? warning : problem;
  return level(CLOCKS, `${what}: deadlines are off by as much`, 'synchronize it by NTP');
}
