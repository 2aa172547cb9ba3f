import type { LiveNodes } from '../../cluster/live-nodes.js';
import { lagOf, pendingRowsOf, rateOf } from '../../cluster/model-load.js';
import type { KnownNode } from '../../cluster/node-directory.js';
import { topicNames } from '../../cluster/topics.js';

/** Statuses that are older, three heartbeats, say nothing about now. Milliseconds. */
const STALE_MS = 6_000;
/** A node takes part if it is at most this much slower than the others: half of nodes of one kind are slower than the mean. */
const TOLERANCE = 2;
/** Time for which a decision holds, milliseconds: nodes report far less often. */
const DECISION_MS = 200;
/** Interval at which a node that steps back takes one record, so that it notices when it has become fast again. */
const PROBE_MS = 5_000;

interface Decision {
  readonly isBack: boolean;
  readonly until: number;
}

/**
 * Holds a slow node back from the queue of a model: while the other nodes are expected to answer a record sooner than this
 * one would, it leaves the record to them. It takes part again when the queue grows.
 */
export class StepBack {
  readonly #decisions = new Map<string, Decision>();
  readonly #probedAt = new Map<string, number>();

  constructor(
    readonly nodes: Pick<LiveNodes, 'nodes'>,
    readonly self: { readonly node: string; readonly prefix: string },
    readonly now: () => number = Date.now,
  ) {}

  /** Returns the number of records to take of those that there is room for. */
  limit(model: string, room: number): number {
    if (room === 0 || !this.#decide(model)) return room;
    const now = this.now();
    const probedAt = this.#probedAt.get(model);
    if (probedAt === undefined) this.#probedAt.set(model, now);
    if (probedAt === undefined || now - probedAt < PROBE_MS) return 0;
    this.#probedAt.set(model, now);
    return 1;
  }

  #decide(model: string): boolean {
    const now = this.now();
    let decision = this.#decisions.get(model);
    if (!decision || now >= decision.until) {
      const topic = topicNames(this.self.prefix).requests(model);
      const isBack = isSlower(this.self.node, { model, topic }, this.nodes.nodes(now), now);
      this.#decisions.set(model, (decision = { isBack, until: now + DECISION_MS }));
      if (!isBack) this.#probedAt.delete(model);
    }
    return decision.isBack;
  }
}

/** Returns true if the other nodes are expected to answer a record sooner than this one would if it began now. */
export function isSlower(
  self: string,
  queue: { readonly model: string; readonly topic: string },
  nodes: readonly KnownNode[],
  now: number,
): boolean {
  const fresh = nodes.filter(({ state, beatAt }) => state === 'READY' && now - beatAt < STALE_MS);
  const own = fresh.find(({ node }) => node === self);
  const ownRate = own ? rateOf(own, queue.model) : 0;
  const others = fresh.filter((node) => node.node !== self && rateOf(node, queue.model) > 0);
  if (ownRate === 0 || others.length === 0) return false;
  const rate = others.reduce((sum, node) => sum + rateOf(node, queue.model), 0);
  const waiting =
    Math.max(...fresh.map((node) => lagOf(node, queue.topic))) +
    others.reduce((sum, node) => sum + pendingRowsOf(node, queue.model), 0);
  const othersMs = (1_000 * (waiting + TOLERANCE * others.length)) / rate;
  return 1_000 / ownRate > othersMs;
}
