import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLASSES, loadDigits, PIXELS } from '../examples/digits/dataset.js';
import { encodeRequest, singleObject } from '../schemas/framing/single-object.js';
import type { Tensor } from '../schemas/generated.js';

/** From the lightest to the heaviest; bench/python/build_models.py says what they are. */
export const MODELS = ['digits', 'convnet', 'residual'] as const;
export type ModelName = (typeof MODELS)[number];

/** How a system is spoken to. `echo`: in Avro, and it answers with the request itself. */
export type Speech = 'avro' | 'json' | 'echo';

/** Records to send and what must come back, as the generator takes them. */
export interface Workload {
  readonly values: readonly Buffer[];
  /** Float32 in the reply, or the whole reply of an echo. */
  readonly expected: readonly Buffer[];
  readonly check: 'equal' | 'floats' | 'json';
  /** Bytes that stand before the numbers in a reply. */
  readonly needle: Buffer;
}

/** The most different records that a generator sends in turn. */
const MOST_VALUES = 64;
const FLOAT_BYTES = 4;

/**
 * @param rows rows of one record
 * @param modelsFolder where the models were built, with what they must answer
 */
export function createWorkload(
  speech: Speech,
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
  if (speech === 'json')
    return { values: inputs.map(jsonRequest), expected, check: 'json', needle: Buffer.from('"data":[') };
  const values = inputs.map((input, index) => avroRequest(model, input, index));
  if (speech === 'echo') return { values, expected: values, check: 'equal', needle: Buffer.alloc(0) };
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

/** How a reply with that many rows is written up to its numbers, from the output's name on. */
export function avroNeedle(rows: number): Buffer {
  const output = tensor('probabilities', [rows, CLASSES], Buffer.alloc(rows * CLASSES * FLOAT_BYTES, 0xff));
  const reply = avroReply(output);
  return reply.subarray(reply.indexOf(output.name), reply.indexOf(output.data));
}

/** What every reply in Avro begins with: the mark of the encoding and the schema's fingerprint. */
export function avroReplyPrefix(): Buffer {
  return avroReply(tensor('probabilities', [0, CLASSES], Buffer.alloc(0))).subarray(0, 10);
}

function avroReply(output: Tensor): Buffer {
  const rest = { modelVersion: null, error: null, node: null, timing: null };
  return singleObject.encodeReply({ id: '', model: '', outputs: [output], ...rest });
}
