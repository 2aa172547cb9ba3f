import { ELEMENT_BYTES, elementCount, isDatatype } from '../../../schemas/datatypes.js';
import { PartituraError, invalidRequest } from '../../../schemas/errors.js';
import type { InferenceRequest, Tensor, TensorStatus } from '../../../schemas/generated.js';
import { object, readRequest, type TensorHead } from '../../../schemas/framing/oip-json.js';
import { declaresBase64, decodeBase64 } from '../../../schemas/framing/base64-content.js';
import { checkCount, encodeDense, toDense, type Dense } from '../../json/dense.js';
import { isNumberArray } from '../../json/number-array.js';
import { plainArrays } from '../../json/plain-arrays.js';
import { readBody } from '../../json/read-body.js';
import { signatureOf, type ServedVersion } from '../../models/served-models.js';
import { nodeParameters, tritonTimeoutMs } from '../../open-inference/parameters.js';
import { checkRaw } from '../../open-inference/raw-data.js';
import { BinaryTail, splitBody } from './binary.js';

/** A decoded request, and how its answer is to be encoded. */
export interface DecodedInfer {
  readonly inference: InferenceRequest;
  /** Returns true for outputs that are answered in binary. */
  readonly binaryOutputs: (name: string) => boolean;
  /** Triton's `timeout` parameter, converted to milliseconds. */
  readonly timeoutMs: number | undefined;
}

interface JsonOutput {
  readonly name?: unknown;
  readonly parameters?: { readonly binary_data?: unknown };
}

/**
 * Decodes the body of an inference request.
 * @param headerLength value of `Inference-Header-Content-Length`; 0 for a raw body that is the only input's data
 * @throws PartituraError that names the field
 */
export async function decodeInfer(
  body: Buffer,
  headerLength: string | readonly string[] | undefined,
  served: ServedVersion,
): Promise<DecodedInfer> {
  const { json, tail } = splitBody(body, headerLength);
  if (tail && json.length === 0) return rawRequest(tail, served);
  const parsed = object(plainArrays(await readBody(json), 'data'), 'the body');
  const binary = new BinaryTail(tail);
  const inference = readRequest(parsed, served.model, (head) => readData(head, binary));
  binary.finish();
  return {
    inference: { ...inference, parameters: nodeParameters(inference.parameters) },
    binaryOutputs: binaryOutputsOf(parsed),
    timeoutMs: tritonTimeoutMs(inference.parameters),
  };
}

function readData({ name, datatype, shape, tensor }: TensorHead, binary: BinaryTail): Buffer {
  const field = `input '${name}'`;
  const { data, parameters } = tensor as { data?: unknown; parameters?: Record<string, unknown> };
  const { binary_data_size: size, shared_memory_region: region } = parameters ?? {};
  if (region !== undefined)
    throw invalidRequest(`${field}: shared memory is not supported; send the data in the body`);
  if (size !== undefined) return checkRaw(binary.take(size, field), datatype, shape, field);
  if (!Array.isArray(data) && !isNumberArray(data))
    throw invalidRequest(`data of ${field}: expected an array`);
  const dense = toDense(data, field);
  checkCount(countOf(dense), shape, field);
  if (declaresBase64(parameters) && !isNumberArray(dense.elements))
    return encodeDense(
      { ...dense, elements: decodeBase64(datatype, dense.elements, field) },
      datatype,
      field,
    );
  return encodeDense(dense, datatype, field);
}

function countOf({ elements }: Dense): number {
  return isNumberArray(elements) ? elements.values.length : elements.length;
}

function binaryOutputsOf(body: Record<string, unknown>): (name: string) => boolean {
  const { binary_data_output: all } = (body['parameters'] ?? {}) as { binary_data_output?: unknown };
  const outputs = (Array.isArray(body['outputs']) ? body['outputs'] : []) as readonly JsonOutput[];
  if (outputs.length === 0) return () => all === true;
  const wish = new Map(outputs.map(({ name, parameters }) => [name, parameters?.binary_data]));
  return (name) => (wish.get(name) ?? all) === true;
}

/** Builds a request whose whole body is the data of the model's only input. */
function rawRequest(data: Buffer, served: ServedVersion): DecodedInfer {
  const { inputs } = signatureOf(served, undefined);
  const [input] = inputs;
  if (!input || inputs.length !== 1)
    throw invalidRequest(`raw body: expected a model with one input, got ${inputs.length} inputs`);
  const inference = {
    id: '',
    model: served.model,
    modelVersion: null,
    inputs: [rawTensor(data, input)],
    outputs: [],
    parameters: {},
    deadline: null,
  };
  return { inference, binaryOutputs: () => true, timeoutMs: undefined };
}

/** A raw BYTES body is one element; otherwise the first open dimension follows from the length. */
function rawTensor(data: Buffer, { name, datatype, shape }: TensorStatus): Tensor {
  const field = `input '${name}'`;
  const [batch, ...rest] = shape.map((dimension) => (dimension < 0 ? 1 : dimension));
  const closed = batch === undefined ? [] : [batch, ...rest];
  if (datatype === 'BYTES') {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(data.length);
    return { name, datatype, shape: closed, data: Buffer.concat([length, data]) };
  }
  const elementBytes = isDatatype(datatype) ? (ELEMENT_BYTES[datatype] ?? 1) : 1;
  const rowBytes = elementCount(closed) * elementBytes;
  const open = shape.findIndex((dimension) => dimension < 0);
  const rows = data.length / rowBytes;
  if (!Number.isInteger(rows) || rows === 0 || (open === -1 && rows !== 1))
    throw new PartituraError(
      'SHAPE_MISMATCH',
      `${field}: expected a multiple of ${rowBytes} bytes for shape [${shape.join(',')}], got ${data.length}`,
    );
  return { name, datatype, shape: closed.map((size, index) => (index === open ? rows : size)), data };
}
