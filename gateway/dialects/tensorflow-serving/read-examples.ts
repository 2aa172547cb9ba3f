import { parse } from 'lossless-json';
import { PartituraError, invalidRequest } from '../../../schemas/errors.js';
import type { Example, Feature } from '../../tensorflow/example.js';
import { base64Bytes, isBase64Object } from './base64.js';
import { debugText, jsonType } from './json-types.js';

/** More digits than any 64-bit integer has: what is cut off makes no difference to the refusal. */
const MAX_DIGITS = 24;

/** Kinds of features, by TensorFlow Serving's names. */
type Kind = 'bytes' | 'float' | 'int64';

/** A number with a point or an exponent, which makes its feature a list of floats: `1.0` is not `1`. */
class JsonFloat {
  constructor(readonly value: number) {}
}

/** Parses a body with examples, in which the text of a number decides its type. @throws PartituraError DECODE_FAILED */
export function parseExamplesBody(bytes: Buffer): unknown {
  const parseNumber = (text: string): unknown =>
    /[.eE]/.test(text) ? new JsonFloat(Number(text)) : BigInt(text.slice(0, MAX_DIGITS));
  try {
    return parse(bytes.toString('utf8'), undefined, { parseNumber });
  } catch (cause) {
    throw new PartituraError('DECODE_FAILED', `JSON Parse error: ${(cause as Error).message}`, { cause });
  }
}

/** Reads `examples` and the `context` that is added to each. @throws PartituraError with TensorFlow Serving's texts */
export function readExamples(body: Record<string, unknown>): Example[] {
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
  return (examples as unknown[]).map((example) => ({ ...shared, ...readExample(example) }));
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
  const kinds = values.map((value) => kindOf(name, value));
  const [kind] = kinds;
  if (kinds.some((other) => other !== kind))
    throw invalidRequest(`Unexpected element type in feature: ${name} expecting type: ${kind}`);
  if (kind === 'bytes') return { bytesList: { value: values.map(bytesOf) } };
  if (kind === 'float') return { floatList: { value: values.map((value) => (value as JsonFloat).value) } };
  return { int64List: { value: values.map((value) => BigInt(value as bigint | boolean)) } };
}

function kindOf(name: string, value: unknown): Kind {
  if (typeof value === 'string' || isBase64Object(value)) return 'bytes';
  if (value instanceof JsonFloat) return 'float';
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
