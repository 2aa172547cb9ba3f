/** Writes small ONNX models: the few fields of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto that they take. */

export const ELEMENT_TYPES = { FP32: 1, UINT8: 2, INT64: 7, BYTES: 8 } as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  /** Strings name open dimensions. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxConstant {
  readonly name: string;
  readonly type: 'FP32' | 'INT64';
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integers and lists of integers. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly constants: readonly OnnxConstant[];
}

const OPSET = 17;
const IR_VERSION = 8;

export function encodeOnnx({ nodes, inputs, outputs, constants }: OnnxGraph): Buffer {
  const graph = message([
    ...nodes.map((node) => field(1, encodeNode(node))),
    field(2, text('graph')),
    ...constants.map((constant) => field(5, encodeConstant(constant))),
    ...inputs.map((value) => field(11, encodeValue(value))),
    ...outputs.map((value) => field(12, encodeValue(value))),
  ]);
  return message([whole(1, IR_VERSION), field(7, graph), field(8, whole(2, OPSET))]);
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): Buffer {
  return message([
    ...inputs.map((name) => field(1, text(name))),
    ...outputs.map((name) => field(2, text(name))),
    field(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) => field(5, encodeAttribute(name, value))),
  ]);
}

const INT = 2;
const INTS = 7;

function encodeAttribute(name: string, value: number | readonly number[]): Buffer {
  const content = typeof value === 'number' ? [whole(3, value)] : value.map((number) => whole(8, number));
  return message([field(1, text(name)), ...content, whole(20, typeof value === 'number' ? INT : INTS)]);
}

function encodeConstant({ name, type, shape, values }: OnnxConstant): Buffer {
  const data = type === 'FP32' ? Float32Array.from(values) : BigInt64Array.from(values, BigInt);
  return message([
    ...shape.map((size) => whole(1, size)),
    whole(2, ELEMENT_TYPES[type]),
    field(8, text(name)),
    field(9, Buffer.from(data.buffer)),
  ]);
}

function encodeValue({ name, type, shape }: OnnxValue): Buffer {
  const dimensions = shape.map((size) =>
    field(1, typeof size === 'number' ? whole(1, size) : field(2, text(size))),
  );
  const tensor = message([whole(1, ELEMENT_TYPES[type]), field(2, message(dimensions))]);
  return message([field(1, text(name)), field(2, field(1, tensor))]);
}

/** Protocol Buffers wire types: a key with field number and type, then a number, or a length and bytes. */
const VARINT = 0;
const BYTES = 2;

function whole(number: number, value: number): Buffer {
  return message([varint((number << 3) | VARINT), varint(value)]);
}

function field(number: number, content: Buffer): Buffer {
  return message([varint((number << 3) | BYTES), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function message(fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}
