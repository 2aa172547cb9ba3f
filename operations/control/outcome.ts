import type { KnownNode } from '../../cluster/node-directory.js';

/** The answer of one live node to a directive. */
export interface NodeOutcome {
  readonly node: string;
  readonly ok: boolean;
  /** Reason why the node did not comply; empty if it did. */
  readonly reason: string;
}

/** The state of a directive: what each live node has made of it. */
export interface DirectiveOutcome {
  /** True once every live node has answered. */
  readonly settled: boolean;
  readonly nodes: readonly NodeOutcome[];
}

/** Judges one node; undefined while it is still working on the directive. */
export type JudgeNode = (node: KnownNode) => Omit<NodeOutcome, 'node'> | undefined;

const OK = { ok: true, reason: '' };

/** Collects the answers of live nodes to the directive at `offset`. */
export function outcomeOf(nodes: readonly KnownNode[], offset: number, judge: JudgeNode): DirectiveOutcome {
  const live = nodes.filter(({ alive }) => alive);
  const answers = live.map((node) => ({ node: node.node, answer: answerOf(node, offset, judge) }));
  return {
    settled: answers.every(({ answer }) => answer !== undefined),
    nodes: answers.flatMap(({ node, answer }) => (answer ? [{ node, ...answer }] : [])),
  };
}

function answerOf(node: KnownNode, offset: number, judge: JudgeNode): Omit<NodeOutcome, 'node'> | undefined {
  if (node.controlOffset === -1) return { ok: false, reason: 'it cannot read the control topic' };
  return node.controlOffset > offset ? judge(node) : undefined;
}

/** Judges `load`: a version of the model is available, unless the node is drained. */
export function judgeLoad(model: string): JudgeNode {
  return ({ state, models }) => {
    const versions = models.filter((one) => one.model === model);
    if (versions.some((version) => version.state === 'AVAILABLE')) return OK;
    if (state === 'DRAINING') return { ok: false, reason: 'it is drained' };
    if (versions.some((version) => version.state === 'LOADING')) return undefined;
    const failed = versions.find((version) => version.state === 'FAILED');
    return { ok: false, reason: failed?.message ?? 'its repository has no such model or version' };
  };
}

/** Judges `unload`: no version of the model is left. */
export function judgeUnload(model: string): JudgeNode {
  return ({ models }) => (models.some((one) => one.model === model) ? undefined : OK);
}

/** Judges a drain of one node, or its end; other nodes have nothing to do. */
export function judgeDrain(name: string, drained: boolean): JudgeNode {
  return ({ node, state, partitions }) => {
    if (node !== name) return OK;
    return (drained ? state === 'DRAINING' && partitions.length === 0 : state === 'READY') ? OK : undefined;
  };
}
