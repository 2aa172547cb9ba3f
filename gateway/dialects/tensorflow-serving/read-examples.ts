import { setImmediate } from 'node:timers/promises';
import { invalidRequest, PartituraError } from '../../../schemas/errors.js';
import type { RoundedNumber } from '../../../schemas/exact-number.js';
import { readBody } from '../../json/read-body.js';
import type { Example, Feature } from '../../tensorflow/example.js';
import { base64Bytes, isBase64Object } from './base64.js';
import { debugText, jsonType } from './json-types.js';

/** Examples are read without a break for at most so long, milliseconds. */
const BREAK_AFTER_MS = 5;
/** Longest text of a value in relation to its bytes in a request, generously. */
const TEXT_PER_BYTE = 8;

/** Kinds of features, by TensorFlow Serving's names. */
type Kind = 'bytes' | 'float' | 'int64';

/** A number with a point or an exponent, which makes its feature a list of floats: `1.0` is not `1`. */
class JsonFloat {
  constructor(readonly value: number | bigint | RoundedNumber) {}
}

/**
 * Reads a body with examples, in which the text of a number decides its type.
 * @param maxRecordBytes most bytes of the request that the examples become
 * @throws PartituraError DECODE_FAILED, REQUEST_TOO_LARGE for a body that no request can hold
 */
export function readExamplesBody(bytes: Buffer, maxRecordBytes: number): Promise<unknown> {
  const most = maxRecordBytes * TEXT_PER_BYTE;
  if (bytes.length > most)
    throw new PartituraError(
      'REQUEST_TOO_LARGE',
      `body: expected at most ${most} bytes of examples, got ${bytes.length}`,
    );
  return readBody(bytes, (value, isWhole) =>
    isWhole ? BigInt(value as number | bigint) : new JsonFloat(value),
  );
}

/** Reads `examples` and the `context` that is added to each. @throws PartituraError with TensorFlow Serving's texts */
export async function readExamples(body: Record<string, unknown>): Promise<Example[]> {
  const { examples, context } = body;
  const shared = context === undefined ? {} : readExample(context);
  if (examples === undefined)
    throw invalidRequest(
      `JSON Value: ${debugText(body)} When method is classify, key 'examples' is expected and was not found`,
    );
  if (!Array.isArray(examples))
    throw invalidRequest(`JSON Value: ${debugText(body)} Expecting 'examples' value to be an list/array`);
  if (examples.length === 0)
    throw invalidRequest(`JSON Value: ${debugText(body)} 'examples' value is an empty array`);
  const read: Example[] = [];
  let startedAt = performance.now();
  for (const example of examples as unknown[]) {
    read.push({ ...shared, ...readExample(example) });
    if (performance.now() - startedAt < BREAK_AFTER_MS) continue;
    await setImmediate();
    startedAt = performance.now();
  }
  return read;
}

function readExample(value: unknown): Example {
  const type = value instanceof JsonFloat ? 'Number' : jsonType(value);
  if (type !== 'Object') throw invalidRequest(`Example must be JSON object but got JSON ${type}`);
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>).map(([name, content]) => [
      name,
      readFeature(name, content),
    ]),
  );
}

function readFeature(name: string, content: unknown): Feature {
  const values: readonly unknown[] = Array.isArray(content) ? (content as unknown[]) : [content];
  const kind = values.length === 0 ? undefined : kindOf(name, values[0]);
  if (values.some((value) => kindOf(name, value) !== kind))
    throw invalidRequest(`Unexpected element type in feature: ${name} expecting type: ${kind}`);
  if (kind === 'bytes') return { bytesList: { value: values.map(bytesOf) } };
  if (kind === 'float') return { floatList: { value: values.map((value) => (value as JsonFloat).value) } };
  return { int64List: { value: values.map((value) => BigInt(value as bigint | boolean)) } };
}

function kindOf(name: string, value: unknown): Kind {
  if (value instanceof JsonFloat) return 'float';
  if (typeof value === 'string' || isBase64Object(value)) return 'bytes';
  if (typeof value === 'boolean') return 'int64';
  if (typeof value === 'bigint') return inRange(name, value);
  throw invalidRequest(`Feature: ${name} has element with unexpected JSON type: ${jsonType(value)}`);
}

function inRange(name: string, value: bigint): Kind {
  if (BigInt.asIntN(64, value) === value) return 'int64';
  throw invalidRequest(`Feature: ${name} has uint64_t element. Only int64_t is supported.`);
}

function bytesOf(value: unknown): Uint8Array {
  return isBase64Object(value) ? base64Bytes(value) : Buffer.from(String(value));
}
