import { isDatatype, type Datatype } from '../../../schemas/datatypes.js';
import { invalidRequest } from '../../../schemas/errors.js';
import type { InferenceRequest, Tensor } from '../../../schemas/generated.js';
import { nodeParameters, tritonTimeoutMs } from '../../open-inference/parameters.js';
import { checkRaw } from '../../open-inference/raw-data.js';
import { refuseSharedMemory, unsupported } from '../../open-inference/unsupported.js';
import { encodeContents } from './contents.js';
import {
  optional,
  type InferInputTensor,
  type InferParameter,
  type InferParameters,
  type ModelInferRequest,
} from './messages.js';

export interface DecodedInfer {
  readonly inference: InferenceRequest;
  /** Triton's parameter `timeout`, in milliseconds. */
  readonly timeoutMs: number | undefined;
}

/** Decodes an inference request. @throws PartituraError that names the field, FrontError for shared memory */
export function decodeInfer(message: ModelInferRequest): DecodedInfer {
  const { inputs, outputs, raw_input_contents: raw } = message;
  for (const { name, parameters } of inputs) refuseUnsupported(`input '${name}'`, parameters);
  for (const { name, parameters } of outputs) refuseUnsupported(`output '${name}'`, parameters);
  if (raw.length > 0 && raw.length !== inputs.length)
    throw invalidRequest(
      `raw_input_contents: expected one for each of ${inputs.length} inputs, got ${raw.length}`,
    );
  const parameters = parameterTexts(message.parameters);
  const inference = {
    id: message.id,
    model: message.model_name,
    modelVersion: optional(message.model_version) ?? null,
    inputs: inputs.map((input, index) => readInput(input, raw[index])),
    outputs: outputs.map(({ name }) => name),
    parameters: nodeParameters(parameters),
    deadline: null,
  };
  return { inference, timeoutMs: tritonTimeoutMs(parameters) };
}

function readInput({ name, datatype, shape, contents }: InferInputTensor, raw: Buffer | undefined): Tensor {
  const field = `input '${name}'`;
  const dimensions = shape.map((dimension) => readDimension(dimension, field));
  const type = readDatatype(datatype, field);
  if (raw === undefined)
    return { name, datatype, shape: dimensions, data: encodeContents(contents, type, dimensions, field) };
  if (contents !== null)
    throw invalidRequest(`${field}: expected no contents beside raw_input_contents, got both`);
  return { name, datatype, shape: dimensions, data: checkRaw(raw, type, dimensions, field) };
}

function readDimension(text: string, field: string): number {
  const dimension = Number(text);
  if (Number.isSafeInteger(dimension) && dimension >= 0) return dimension;
  throw invalidRequest(`${field}: expected a shape of whole numbers, got ${text}`);
}

function readDatatype(datatype: string, field: string): Datatype {
  if (isDatatype(datatype)) return datatype;
  throw invalidRequest(`${field}: expected a datatype of the Open Inference Protocol, got '${datatype}'`);
}

function refuseUnsupported(field: string, parameters: InferParameters): void {
  if (parameters['shared_memory_region']) throw refuseSharedMemory(field);
  if (parameters['classification']) throw unsupported(`${field}: classification is not supported`);
}

function parameterTexts(parameters: InferParameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, parameterText(name, value)]),
  );
}

function parameterText(name: string, parameter: InferParameter): string {
  const { parameter_choice: choice } = parameter;
  if (choice !== undefined) return String(parameter[choice]);
  throw invalidRequest(`parameters.${name}: expected a value, got none`);
}
