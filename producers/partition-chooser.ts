import type { LiveNodes } from '../cluster/live-nodes.js';
import { lagOf, pendingRowsOf, rateOf } from '../cluster/model-load.js';
import type { KnownNode } from '../cluster/node-directory.js';
import { topicNames } from '../cluster/topics.js';

/** A partition that is chosen for a request, and the work that it adds to the partition's owner until it is answered. */
export interface Choice {
  readonly partition: number;
  readonly node: string;
  /** Milliseconds of the owner's time. */
  readonly workMs: number;
}

/** The owner of a partition, as its last status has it. */
interface Owner {
  readonly node: string;
  readonly beatAt: number;
  /** Time that the rows in its queue take, milliseconds. */
  readonly queueMs: number;
  readonly msPerRow: number;
}

interface OwnedPartition {
  readonly partition: number;
  readonly owner: Owner;
}

/** Requests with this much work together go to one partition, because each batch of records costs the broker. */
const RUN_MS = 1;
const RUN_REQUESTS = 64;
/** Work of a row of a model whose throughput is not known, milliseconds. */
const UNKNOWN_MS = 1;

/**
 * Chooses partitions for requests without a key: of two random ones, the one whose owner is expected to answer sooner. The
 * owner's queue is what it last reported, less what it has computed since, or what this sender has sent to it, if that is
 * more.
 */
export class PartitionChooser {
  readonly #owned = new Map<string, readonly OwnedPartition[]>();
  /** Work sent to each node and not answered yet, milliseconds. */
  readonly #sentMs = new Map<string, number>();
  #run: { readonly model: string; readonly choice: OwnedPartition; leftMs: number; left: number } | undefined;

  constructor(
    readonly nodes: Pick<LiveNodes, 'nodes' | 'onChange'>,
    readonly prefix: string,
    readonly random: () => number = Math.random,
    readonly now: () => number = Date.now,
  ) {
    nodes.onChange(() => {
      this.#owned.clear();
      this.#run = undefined;
    });
  }

  /** Returns undefined if there is nothing to choose: the nodes are not known, or a single one owns all partitions. */
  choose(model: string, rows: number): Choice | undefined {
    const chosen = this.#running(model, rows) ?? this.#best(model, rows);
    if (!chosen) return undefined;
    const { partition, owner } = chosen;
    const workMs = rows * owner.msPerRow;
    this.#sentMs.set(owner.node, (this.#sentMs.get(owner.node) ?? 0) + workMs);
    return { partition, node: owner.node, workMs };
  }

  /** Notes that a request was answered or given up. */
  end({ node, workMs }: Choice): void {
    const left = (this.#sentMs.get(node) ?? 0) - workMs;
    if (left > 1e-6) this.#sentMs.set(node, left);
    else this.#sentMs.delete(node);
  }

  /** Returns the partition of the current run, while it has room. */
  #running(model: string, rows: number): OwnedPartition | undefined {
    const run = this.#run;
    if (!run || run.model !== model || run.left === 0 || run.leftMs <= 0) return undefined;
    run.leftMs -= rows * run.choice.owner.msPerRow;
    run.left--;
    return run.choice;
  }

  #best(model: string, rows: number): OwnedPartition | undefined {
    const owned = this.#ownedOf(model);
    const one = this.#draw(owned);
    const two = this.#draw(owned);
    if (!one || !two) return undefined;
    const choice = this.#waitMs(one.owner, rows) <= this.#waitMs(two.owner, rows) ? one : two;
    const leftMs = RUN_MS - rows * choice.owner.msPerRow;
    this.#run = { model, choice, leftMs, left: RUN_REQUESTS - 1 };
    return choice;
  }

  #draw(owned: readonly OwnedPartition[]): OwnedPartition | undefined {
    return owned[Math.floor(this.random() * owned.length)];
  }

  /** Returns the time until a request would be answered, milliseconds. */
  #waitMs({ node, beatAt, queueMs, msPerRow }: Owner, rows: number): number {
    const reported = Math.max(0, queueMs - Math.max(0, this.now() - beatAt));
    return Math.max(reported, this.#sentMs.get(node) ?? 0) + rows * msPerRow;
  }

  #ownedOf(model: string): readonly OwnedPartition[] {
    let owned = this.#owned.get(model);
    if (!owned) this.#owned.set(model, (owned = this.#read(model)));
    return owned;
  }

  #read(model: string): readonly OwnedPartition[] {
    const topic = topicNames(this.prefix).requests(model);
    const serving = this.nodes.nodes(this.now()).filter(({ alive, state }) => alive && state === 'READY');
    const owned = serving.flatMap((node) => {
      const owner = ownerOf(node, model, topic);
      return node.partitions
        .filter((one) => one.topic === topic)
        .map(({ partition }) => ({ partition, owner }));
    });
    const isShared = new Set(owned.map(({ owner }) => owner.node)).size > 1;
    return isShared ? owned : [];
  }
}

function ownerOf(known: KnownNode, model: string, topic: string): Owner {
  const { node, beatAt } = known;
  const rowsPerSecond = rateOf(known, model);
  const msPerRow = rowsPerSecond === 0 ? UNKNOWN_MS : 1_000 / rowsPerSecond;
  const rows = pendingRowsOf(known, model) + lagOf(known, topic);
  return { node, beatAt, queueMs: rows * msPerRow, msPerRow };
}
