import type { EngineOnlyResult } from './engine-only.js';
import type { Cell } from './measure.js';
import type { FrontResult } from './fronts/fronts.js';
import type { CompetitorResult } from './competitors.js';
import type { ModelName } from './workloads.js';

/** A ratio that Partitura must reach within one run. */
export interface Target {
  readonly what: string;
  readonly asked: string;
  /** Undefined if a required system was not measured. */
  readonly reached: number | undefined;
  readonly isMet: boolean;
}

/** The results that targets are computed from, and the default client of nodes. */
export interface Results {
  readonly peers: readonly CompetitorResult[];
  readonly alone: readonly EngineOnlyResult[];
  readonly fronts: readonly FrontResult[];
  readonly client: string;
}

type Pick = (result: CompetitorResult) => number;
const speed: Pick = ({ measured }) => measured.requestsPerSecond;
const latency: Pick = ({ measured }) => measured.p50Ms;

/** Returns all targets, in the order of the page. */
export function targets({ peers, alone, fronts, client }: Results): Target[] {
  const echo = `echo-${client}`;
  const node = `partitura-${client}-tensorflow`;
  const onnx = `partitura-${client}-onnx`;
  const at = (model: ModelName, inflight: number, lingers = inflight > 1): Cell => ({
    model,
    rows: 1,
    inflight,
    lingers,
  });
  const value = (system: string, cell: Cell, pick: Pick): number | undefined => {
    const found = peers.find((result) => result.system === system && isAt(result, cell));
    return found && pick(found);
  };
  const ratio = (cell: Cell, other: string, pick = speed, system = node): number | undefined =>
    quotient(value(system, cell, pick), value(other, cell, pick));
  const front = (system: string, protocol: string, connections: number): FrontResult | undefined =>
    fronts.find(
      (one) =>
        one.system === system &&
        one.protocol === protocol &&
        one.connections === connections &&
        one.rows === 1,
    );
  const frontShare = (protocol: string, other: readonly [string, string]): number | undefined =>
    quotient(front('gateway', protocol, 256)?.requestsPerSecond, front(...other, 256)?.requestsPerSecond);
  const added = (protocol: string): number =>
    (front('gateway', protocol, 1)?.p50Ms ?? NaN) - (front('gateway', 'Kafka', 1)?.p50Ms ?? NaN);
  const atLeast = (what: string, asked: number, reached: number | undefined): Target => ({
    what,
    asked: `≥ ${asked}`,
    reached,
    isMet: (reached ?? 0) >= asked,
  });
  const atMost = (what: string, asked: number, reached: number | undefined): Target => ({
    what,
    asked: `≤ ${asked}`,
    reached,
    isMet: (reached ?? Infinity) <= asked,
  });
  const many = at('digits', 1_000);
  const some = at('digits', 64);
  const one = at('digits', 1);
  const residual = alone.filter((result) => result.model === 'residual' && result.engine === 'tensorflow');
  const best = Math.max(...residual.flatMap(({ rowsPerSecond }) => Object.values(rowsPerSecond)));
  return [
    atLeast('digits, W = 1,000: throughput vs. the echo', 0.65, ratio(many, echo)),
    atLeast('digits, W = 1,000: vs. the Python worker', 1.4, ratio(many, 'python')),
    atLeast('digits, W = 1,000: vs. MLServer with batching', 25, ratio(many, 'mlserver')),
    atLeast('digits, W = 64: throughput vs. the echo', 0.65, ratio(some, echo)),
    atLeast('digits, W = 64: vs. the Python worker', 2.5, ratio(some, 'python')),
    atLeast('digits, W = 64: vs. MLServer', 2.5, ratio(some, 'mlserver')),
    atLeast(
      'digits, W = 64: share of throughput without linger',
      0.85,
      quotient(value(node, at('digits', 64, false), speed), value(node, some, speed)),
    ),
    atMost('digits, W = 1: p50 vs. the echo', 1.4, ratio(one, echo, latency)),
    atMost(
      'digits, W = 1: p50 vs. the Python worker without waits',
      1,
      ratio(one, 'python-no-waits', latency),
    ),
    atLeast(
      'residual, W = 1,000: vs. the model alone at its best batch',
      0.9,
      quotient(value(node, at('residual', 1_000), speed), best),
    ),
    atLeast('residual, W = 1,000: vs. the Python worker', 1.15, ratio(at('residual', 1_000), 'python')),
    atLeast('residual, W = 1,000: vs. MLServer', 3, ratio(at('residual', 1_000), 'mlserver')),
    atLeast('residual, W = 64: vs. MLServer', 1.4, ratio(at('residual', 64), 'mlserver')),
    atLeast(
      'ONNX Runtime vs. TensorFlow with the same weights: minimum of all rows',
      1,
      lowest(peers.filter(({ system }) => system === node).map((cell) => ratio(cell, node, speed, onnx))),
    ),
    ...['JSON', 'binary', 'gRPC'].map((protocol) =>
      atMost(`gateway, ${protocol}, 1 connection: milliseconds added to p50`, 1, finite(added(protocol))),
    ),
    atLeast('gateway, binary, 256 connections: vs. Kafka', 0.7, frontShare('binary', ['gateway', 'Kafka'])),
    atLeast('gateway, gRPC, 256 connections: vs. Kafka', 0.7, frontShare('gRPC', ['gateway', 'Kafka'])),
    atLeast('gateway, JSON, 256 connections: vs. Kafka', 0.5, frontShare('JSON', ['gateway', 'Kafka'])),
    atLeast('gateway, JSON, 256 connections: vs. MLServer', 1, frontShare('JSON', ['mlserver', 'JSON'])),
    atLeast('gateway, gRPC, 256 connections: vs. MLServer', 1, frontShare('gRPC', ['mlserver', 'gRPC'])),
  ];
}

function isAt(result: Cell, { model, rows, inflight, lingers }: Cell): boolean {
  const sameModel =
    result.model === model || ('system' in result && String(result.system).startsWith('echo-'));
  return sameModel && result.rows === rows && result.inflight === inflight && result.lingers === lingers;
}

function quotient(value: number | undefined, by: number | undefined): number | undefined {
  return value === undefined || by === undefined || !Number.isFinite(by) ? undefined : value / by;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function lowest(ratios: readonly (number | undefined)[]): number | undefined {
  const known = ratios.filter((ratio) => ratio !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
