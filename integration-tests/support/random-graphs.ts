import fc from 'fast-check';
import type { OnnxConstant, OnnxGraph, OnnxNode, OnnxValue } from './onnx-writer.js';

/** Columns of every value in a graph. */
export const WIDTH = 3;
/** Rows of the lookup table for ids. */
export const VOCABULARY = 6;

export interface RandomGraph extends OnnxGraph {
  /** The steps, for messages. */
  readonly steps: readonly string[];
  /** True if no step depends on other rows. */
  readonly isRowWise: boolean;
}

/** Adds nodes that map a value of shape [rows, WIDTH] to another. */
type Step = (graph: GraphBuilder, from: string) => string;

class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly constants: OnnxConstant[] = [];
  #count = 0;

  add(op: string, inputs: readonly string[], attributes: OnnxNode['attributes'] = {}, outputs = 1): string {
    const names = Array.from({ length: outputs }, () => this.#name());
    this.nodes.push({ op, inputs, outputs: names, attributes });
    return names[0] ?? '';
  }

  /** Output names of the newest node. */
  get last(): readonly string[] {
    return this.nodes.at(-1)?.outputs ?? [];
  }

  floats(shape: readonly number[], values: readonly number[]): string {
    return this.#constant({ type: 'FP32', shape, values });
  }

  wholes(...values: number[]): string {
    return this.#constant({ type: 'INT64', shape: [values.length], values });
  }

  #constant(constant: Omit<OnnxConstant, 'name'>): string {
    const name = this.#name();
    this.constants.push({ name, ...constant });
    return name;
  }

  #name(): string {
    return `v${this.#count++}`;
  }
}

const KERNEL = [0.5, -1, 0.25, 1, 0.75, -0.5, -0.25, 0.5, 1];

/** Steps that depend only on their own row. */
const ROW_WISE: Readonly<Record<string, Step>> = {
  relu: (graph, x) => graph.add('Relu', [x]),
  tanh: (graph, x) => graph.add('Tanh', [x]),
  shift: (graph, x) => graph.add('Add', [x, graph.floats([WIDTH], [1, -2, 0.5])]),
  scale: (graph, x) => graph.add('Mul', [x, graph.floats([1], [0.5])]),
  dense: (graph, x) => graph.add('MatMul', [x, graph.floats([WIDTH, WIDTH], KERNEL)]),
  softmax: (graph, x) => graph.add('Softmax', [x], { axis: 1 }),
  'running sum': (graph, x) => graph.add('CumSum', [x, graph.wholes(1)]),
  centered: (graph, x) => graph.add('Sub', [x, graph.add('ReduceMean', [x], { axes: [1], keepdims: 1 })]),
  'columns reversed': (graph, x) => graph.add('Gather', [x, graph.wholes(2, 1, 0)], { axis: 1 }),
};

/** Steps that depend on other rows, on their number or on the row index. */
const MIXING: Readonly<Record<string, Step>> = {
  'softmax over rows': (graph, x) => graph.add('Softmax', [x], { axis: 0 }),
  'running sum over rows': (graph, x) => graph.add('CumSum', [x, graph.wholes(0)]),
  'centered over rows': (graph, x) =>
    graph.add('Sub', [x, graph.add('ReduceMean', [x], { axes: [0], keepdims: 1 })]),
  'clipped by all': (graph, x) => graph.add('Min', [x, graph.add('ReduceMean', [x], { keepdims: 0 })]),
  'quantized by all': (graph, x) => {
    graph.add('DynamicQuantizeLinear', [x], {}, 3);
    return graph.add('DequantizeLinear', graph.last);
  },
  'rows counted': (graph, x) => {
    const rows = graph.add('Cast', [graph.add('Shape', [x], { start: 0, end: 1 })], { to: 1 });
    return graph.add('Mul', [x, rows]);
  },
  'rows with rows': (graph, x) => {
    const scores = graph.add('MatMul', [x, graph.add('Transpose', [x], { perm: [1, 0] })]);
    return graph.add('MatMul', [graph.add('Softmax', [scores], { axis: 1 }), x]);
  },
  'rows reversed': (graph, x) =>
    graph.add('Slice', [x, graph.wholes(-1), graph.wholes(-(2 ** 40)), graph.wholes(0), graph.wholes(-1)]),
  'rows sorted': (graph, x) => {
    const rows = graph.add('Shape', [x], { start: 0, end: 1 });
    return graph.add('TopK', [x, rows], { axis: 0 }, 2);
  },
};

/** Additional outputs. */
const EXTRAS: Readonly<Record<string, (graph: GraphBuilder, x: string) => OnnxValue>> = {
  'largest column': (graph, x) => ({
    name: graph.add('ArgMax', [x], { axis: 1, keepdims: 0 }),
    type: 'INT64',
    shape: ['rows'],
  }),
  sum: (graph, x) => ({
    name: graph.add('ReduceSum', [x, graph.wholes(1)], { keepdims: 0 }),
    type: 'FP32',
    shape: ['rows'],
  }),
};

const stepName = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...Object.keys(ROW_WISE)) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(MIXING)) },
);

/** Graphs of one to four steps on rows of three numbers, some with ids, texts and additional outputs. */
export const randomGraph: fc.Arbitrary<RandomGraph> = fc
  .record({
    steps: fc.array(stepName, { minLength: 1, maxLength: 4 }),
    extras: fc.subarray(Object.keys(EXTRAS)),
    hasIds: fc.boolean(),
    hasText: fc.boolean(),
  })
  .map(buildGraph);

interface Choices {
  readonly steps: readonly string[];
  readonly extras: readonly string[];
  readonly hasIds: boolean;
  readonly hasText: boolean;
}

function buildGraph({ steps, extras, hasIds, hasText }: Choices): RandomGraph {
  const graph = new GraphBuilder();
  const x: OnnxValue = { name: 'x', type: 'FP32', shape: ['rows', WIDTH] };
  const ids: OnnxValue = { name: 'ids', type: 'INT64', shape: ['rows'] };
  const label: OnnxValue = { name: 'label', type: 'BYTES', shape: ['rows'] };
  let value = hasIds ? graph.add('Add', [x.name, embedding(graph, ids.name)]) : x.name;
  for (const name of steps) value = (ROW_WISE[name] ?? MIXING[name])?.(graph, value) ?? value;
  const outputs: OnnxValue[] = [
    { name: graph.add('Identity', [value]), type: 'FP32', shape: ['rows', WIDTH] },
  ];
  for (const name of extras)
    outputs.push(...[EXTRAS[name]?.(graph, value)].filter((extra) => extra !== undefined));
  if (hasText) outputs.push({ ...label, name: graph.add('Identity', [label.name]) });
  return {
    nodes: graph.nodes,
    constants: graph.constants,
    inputs: [x, ...(hasIds ? [ids] : []), ...(hasText ? [label] : [])],
    outputs,
    steps,
    isRowWise: steps.every((name) => name in ROW_WISE),
  };
}

function embedding(graph: GraphBuilder, ids: string): string {
  const values = Array.from({ length: VOCABULARY * WIDTH }, (_, index) => Math.sin(index));
  return graph.add('Gather', [graph.floats([VOCABULARY, WIDTH], values), ids], { axis: 0 });
}
