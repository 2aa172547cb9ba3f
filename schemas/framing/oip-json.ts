import { ELEMENT_BYTES, elementCount, formatShape, isDatatype, type Datatype } from '../datatypes.js';
import { describe } from '../describe.js';
import { invalidRequest, PartituraError } from '../errors.js';
import type { InferenceReply, InferenceRequest, Tensor } from '../generated.js';
import { parseJson, utf8Text } from '../json.js';
import { areTexts, decodeElements, encodeElements, NO_INFINITIES, splitBytes } from '../tensor.js';
import { answeredBy } from './answered-by.js';
import { declaresBase64, BASE64_PARAMETERS, decodeBase64 } from './base64-content.js';
import { headerText, type Framing, type RecordHeaders } from './framing.js';
import { readJsonReply } from './json-reply.js';
import { isJsonType, mediaType } from './media-type.js';

/**
 * Open Inference Protocol JSON bodies as record values.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
const CONTENT_TYPE = 'application/json';
/** More dimensions than any tensor has. */
const MAX_DEPTH = 64;
const OPENING_BRACE = 0x7b;
/** Space, tab, line feed and carriage return. */
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d]);

export const oipJson = {
  name: 'oip-json',
  headers: { 'content-type': CONTENT_TYPE },
  headersOf: answeredBy,

  detects(value: Buffer, headers: RecordHeaders): boolean {
    const type = mediaType(headerText(headers, 'content-type'));
    return type === undefined ? beginsWithBrace(value) : isJsonType(type);
  },

  decodeRequest: (value: Buffer, model: string) => readRequest(parseBody(value), model),

  encodeReply: (reply: InferenceReply) => Buffer.from(writeReply(reply)),

  readReply: (value: Buffer, headers: RecordHeaders) => readJsonReply(parseBody(value), headers),
} satisfies Framing;

/** Returns true if a value starts like a JSON object, after an optional byte order mark and blanks. */
function beginsWithBrace(value: Buffer): boolean {
  const start = value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf ? 3 : 0;
  for (let at = start; at < value.length; at++) {
    const byte = value[at] ?? 0;
    if (byte === OPENING_BRACE) return true;
    if (!BLANKS.has(byte)) return false;
  }
  return false;
}

/**
 * Reads a body; optional fields that are null are treated as omitted, since many serializers write them.
 * @throws PartituraError, INVALID_REQUEST or more specific, that names the field
 */
export function readRequest(
  body: Record<string, unknown>,
  model: string,
  readData: ReadData = readListedData,
): InferenceRequest {
  const inputs = list(body['inputs'], 'inputs').map((input, index) => readTensor(input, index, readData));
  const { id, model_name: name, model_version: version, outputs, parameters } = body;
  const deadline = readDeadline(parameters);
  return {
    id: optional(id, text, 'id') ?? '',
    model: optional(name, text, 'model_name') ?? model,
    modelVersion: optional(version, text, 'model_version') ?? null,
    inputs,
    outputs: (optional(outputs, list, 'outputs') ?? []).map(readOutputName),
    parameters: readParameters(parameters),
    deadline,
  };
}

function optional<T>(
  value: unknown,
  read: (value: unknown, field: string) => T,
  field: string,
): T | undefined {
  return value === undefined || value === null ? undefined : read(value, field);
}

/** Writes the body of a reply as JSON text. */
export function writeReply(reply: InferenceReply): string {
  if (reply.error) return JSON.stringify({ id: reply.id, error: reply.error.message });
  const head = JSON.stringify({ model_name: reply.model, ...version(reply), id: reply.id });
  return `${head.slice(0, -1)},"outputs":[${reply.outputs.map(writeTensor).join(',')}]}`;
}

function version(reply: InferenceReply): { model_version?: string } {
  return reply.modelVersion === null ? {} : { model_version: reply.modelVersion };
}

/**
 * Parses a body; those that mention a 64-bit type are parsed exactly, which is slower.
 * @throws PartituraError DECODE_FAILED if it is not JSON, INVALID_REQUEST if it is not an object
 */
export function parseBody(value: Buffer): Record<string, unknown> {
  const body = utf8Text(value, 'the body');
  return object(parseJson(body, /"U?INT64"/i.test(body), 'the body'), 'the body');
}

/** An input before its data is read. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** The whole JSON object. */
  readonly tensor: Record<string, unknown>;
}

/** Reads the data of an input. @throws PartituraError that names the input */
export type ReadData = (head: TensorHead) => Buffer;

function readTensor(value: unknown, index: number, readData: ReadData): Tensor {
  const tensor = object(value, `inputs[${index}]`);
  const name = text(tensor['name'], `inputs[${index}].name`);
  const datatype = readDatatype(tensor['datatype'], name);
  const shape = list(tensor['shape'], `shape of input '${name}'`).map((dimension) => {
    if (typeof dimension === 'number' && Number.isSafeInteger(dimension) && dimension >= 0) return dimension;
    throw invalidRequest(`input '${name}': expected a shape of whole numbers, got ${describe(dimension)}`);
  });
  return { name, datatype, shape, data: readData({ name, datatype, shape, tensor }) };
}

function readListedData({ name, datatype, shape, tensor }: TensorHead): Buffer {
  const given = flatten(tensor['data'], `data of input '${name}'`);
  const elements = declaresBase64(tensor['parameters'])
    ? decodeBase64(datatype, given, `input '${name}'`)
    : given;
  if (elements.length !== elementCount(shape)) {
    const expected = `${elementCount(shape)} elements for shape ${formatShape(shape)}`;
    throw new PartituraError(
      'SHAPE_MISMATCH',
      `input '${name}': expected ${expected}, got ${elements.length}`,
    );
  }
  return encodeElements(datatype, elements, `input '${name}'`, NO_INFINITIES);
}

/** Flattens nested lists, row by row. */
function flatten(data: unknown, field: string): unknown[] {
  const elements = list(data, field);
  if (!elements.some(Array.isArray)) return elements;
  const flat: unknown[] = [];
  const collect = (inner: readonly unknown[], depth: number): void => {
    if (depth > MAX_DEPTH)
      throw invalidRequest(`${field}: expected lists nested at most ${MAX_DEPTH} deep, got more`);
    for (const element of inner)
      if (Array.isArray(element)) collect(element, depth + 1);
      else flat.push(element);
  };
  collect(elements, 1);
  return flat;
}

function readDatatype(value: unknown, name: string): Datatype {
  const datatype = text(value, `datatype of input '${name}'`).toUpperCase();
  if (isDatatype(datatype)) return datatype;
  const known = Object.keys(ELEMENT_BYTES).join(', ');
  throw new PartituraError(
    'DATATYPE_MISMATCH',
    `input '${name}': expected a datatype of ${known}, got '${datatype}'`,
  );
}

function readOutputName(value: unknown, index: number): string {
  return text(object(value, `outputs[${index}]`)['name'], `outputs[${index}].name`);
}

function readParameters(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  return Object.fromEntries(
    Object.entries(object(value, 'parameters')).flatMap(([name, entry]) =>
      entry === null ? [] : [[name, readParameter(entry, name)]],
    ),
  );
}

function readParameter(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `${value}`;
  throw invalidRequest(`parameters.${name}: expected text, a number or a boolean, got ${kindOf(value)}`);
}

/** Reads the deadline: the protocol has none, so it is a parameter, in milliseconds since the epoch. */
function readDeadline(parameters: unknown): number | null {
  const { deadline } = (parameters ?? {}) as { deadline?: unknown };
  if (deadline === undefined || deadline === null) return null;
  if (typeof deadline === 'number' && Number.isSafeInteger(deadline)) return deadline;
  throw invalidRequest(
    `parameters.deadline: expected milliseconds since the epoch, got ${describe(deadline)}`,
  );
}

/** Writes a tensor as JSON text. */
export function writeTensor({ name, datatype, shape, data }: Tensor): string {
  if (datatype === 'BYTES') return writeBytes(name, shape, splitBytes(data));
  const elements = decodeElements(datatype as Datatype, data);
  return `${JSON.stringify({ name, datatype, shape }).slice(0, -1)},"data":[${elements.join(',')}]}`;
}

/** Writes elements as text if all of them are; otherwise as declared base64. */
function writeBytes(name: string, shape: readonly number[], elements: readonly Buffer[]): string {
  const tensor = { name, datatype: 'BYTES', shape };
  return JSON.stringify(
    areTexts(elements)
      ? { ...tensor, data: elements.map((element) => element.toString('utf8')) }
      : {
          ...tensor,
          parameters: BASE64_PARAMETERS,
          data: elements.map((element) => element.toString('base64')),
        },
  );
}

export function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw invalidRequest(`${field}: expected an object, got ${kindOf(value)}`);
}

function list(value: unknown, field: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalidRequest(`${field}: expected an array, got ${kindOf(value)}`);
}

function text(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw invalidRequest(`${field}: expected a string, got ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return `a ${typeof value}`;
}
