import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLASSES, loadDigits, PIXELS } from '../examples/digits/dataset.js';
import { encodeRequest, singleObject } from '../schemas/framing/single-object.js';
import type { Tensor } from '../schemas/generated.js';

/** From the lightest to the heaviest; see bench/python/build_models.py. */
export const MODELS = ['digits', 'convnet', 'residual'] as const;
export type ModelName = (typeof MODELS)[number];

/** The wire format of requests and replies. `echo`: Avro, with the request as the reply. */
export type WireFormat = 'avro' | 'json' | 'echo';

/** Records to send and their expected replies, in the format of the generator. */
export interface Workload {
  readonly values: readonly Buffer[];
  /** Float32 values of the reply, or the entire reply of an echo. */
  readonly expected: readonly Buffer[];
  readonly check: 'equal' | 'floats' | 'json';
  /** Bytes that precede the numbers in a reply. */
  readonly needle: Buffer;
}

/** Maximum number of distinct records that the generator cycles through. */
const MOST_VALUES = 64;
const FLOAT_BYTES = 4;

/**
 * Creates the workload of a model.
 * @param rows rows per record
 * @param modelsFolder folder with the built models and their expected outputs
 */
export function createWorkload(
  wireFormat: WireFormat,
  model: ModelName,
  rows: number,
  modelsFolder: string,
): Workload {
  const { pixels } = loadDigits();
  const answers = readFileSync(join(modelsFolder, `${model}.expected`));
  const count = Math.min(MOST_VALUES, Math.floor(pixels.length / rows));
  const starts = Array.from({ length: count }, (_, index) => index * rows);
  const inputs = starts.map((start) => tensor('pixels', [rows, PIXELS], joined(pixels, start, rows)));
  const rowBytes = CLASSES * FLOAT_BYTES;
  const expected = starts.map((start) => answers.subarray(start * rowBytes, (start + rows) * rowBytes));
  if (wireFormat === 'json')
    return { values: inputs.map(jsonRequest), expected, check: 'json', needle: Buffer.from('"data":[') };
  const values = inputs.map((input, index) => avroRequest(model, input, index));
  if (wireFormat === 'echo') return { values, expected: values, check: 'equal', needle: Buffer.alloc(0) };
  return { values, expected, check: 'floats', needle: avroNeedle(rows) };
}

function joined(pixels: readonly Float32Array[], start: number, rows: number): Buffer {
  return Buffer.concat(
    pixels.slice(start, start + rows).map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength)),
  );
}

function tensor(name: string, shape: number[], data: Buffer): Tensor {
  return { name, datatype: 'FP32', shape, data };
}

function avroRequest(model: string, input: Tensor, index: number): Buffer {
  const rest = { modelVersion: null, outputs: [], parameters: {}, deadline: null };
  return encodeRequest({ id: `record-${index}`, model, inputs: [input], ...rest });
}

function jsonRequest({ name, datatype, shape, data }: Tensor): Buffer {
  const numbers = Array.from(data, (_, index) => index)
    .filter((index) => index % FLOAT_BYTES === 0)
    .map((index) => data.readFloatLE(index));
  return Buffer.from(JSON.stringify({ inputs: [{ name, datatype, shape, data: numbers }] }));
}

/** Returns the encoding of a reply with this many rows, from the name of the output up to its numbers. */
export function avroNeedle(rows: number): Buffer {
  const output = tensor('probabilities', [rows, CLASSES], Buffer.alloc(rows * CLASSES * FLOAT_BYTES, 0xff));
  const reply = avroReply(output);
  return reply.subarray(reply.indexOf(output.name), reply.indexOf(output.data));
}

/** Returns the prefix of every Avro reply: the marker of the encoding and the fingerprint of the schema. */
export function avroReplyPrefix(): Buffer {
  return avroReply(tensor('probabilities', [0, CLASSES], Buffer.alloc(0))).subarray(0, 10);
}

function avroReply(output: Tensor): Buffer {
  const rest = { modelVersion: null, error: null, node: null, timing: null };
  return singleObject.encodeReply({ id: '', model: '', outputs: [output], ...rest });
}
