import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { EngineTensor, TensorSpec } from './engine.js';
import type { Tensors } from './thread/messages.js';

/**
 * Arranges inputs in signature order, without names, as a thread expects them.
 * @throws PartituraError INVALID_REQUEST if one is missing, INTERNAL if one shares its buffer
 */
export function arrangeInputs(specs: readonly TensorSpec[], inputs: readonly EngineTensor[]): Tensors {
  const arranged = specs.map((spec, index) => inputNamed(spec.name, inputs, index));
  return { shapes: arranged.map((input) => input.shape), buffers: arranged.map(wholeBuffer) };
}

/** Adds the signature's names to a thread's outputs. */
export function nameOutputs(specs: readonly TensorSpec[], { shapes, buffers }: Tensors): EngineTensor[] {
  return specs.map(({ name, datatype }, index) => {
    const shape = shapes[index];
    const buffer = buffers[index];
    if (!shape || !buffer) throw new PartituraError('MODEL_FAILED', `output '${name}' is missing`);
    return { name, datatype, shape, data: new Uint8Array(buffer) };
  });
}

/** Finds an input by name, trying the same position first, since most callers keep the signature's order. */
function inputNamed(name: string, inputs: readonly EngineTensor[], index: number): EngineTensor {
  const inPlace = inputs[index];
  const input = inPlace?.name === name ? inPlace : inputs.find((candidate) => candidate.name === name);
  if (input) return input;
  throw invalidRequest(`input '${name}' is missing`);
}

/** Returns the buffer of a tensor that owns it: transferring a shared buffer would detach all other views. */
function wholeBuffer({ name, data }: EngineTensor): ArrayBuffer {
  if (data.byteLength === data.buffer.byteLength) return data.buffer;
  throw new PartituraError('INTERNAL', `input '${name}' does not own its buffer`);
}
