import { PartituraError } from '../../schemas/errors.js';
import type { EngineTensor, TensorSpec } from './engine.js';
import type { Tensors } from './thread/messages.js';

/**
 * Inputs in the signature's order, without names: what a thread takes.
 * @throws PartituraError INVALID_REQUEST when one is missing, INTERNAL when one shares its buffer with others
 */
export function arrangeInputs(specs: readonly TensorSpec[], inputs: readonly EngineTensor[]): Tensors {
  const arranged = specs.map((spec, index) => inputNamed(spec.name, inputs, index));
  return { shapes: arranged.map((input) => input.shape), buffers: arranged.map(wholeBuffer) };
}

/** A thread's outputs with the names of the signature. */
export function nameOutputs(specs: readonly TensorSpec[], { shapes, buffers }: Tensors): EngineTensor[] {
  return specs.map(({ name, datatype }, index) => {
    const shape = shapes[index];
    const buffer = buffers[index];
    if (!shape || !buffer) throw new PartituraError('MODEL_FAILED', `output '${name}' is missing`);
    return { name, datatype, shape, data: new Uint8Array(buffer) };
  });
}

/** Most callers keep the signature's order, so the same place is looked at first. */
function inputNamed(name: string, inputs: readonly EngineTensor[], index: number): EngineTensor {
  const inPlace = inputs[index];
  const input = inPlace?.name === name ? inPlace : inputs.find((candidate) => candidate.name === name);
  if (input) return input;
  throw new PartituraError('INVALID_REQUEST', `input '${name}' is missing`);
}

/** Transferring a shared buffer would empty every other view of it. */
function wholeBuffer({ name, data }: EngineTensor): ArrayBuffer {
  if (data.byteLength === data.buffer.byteLength) return data.buffer;
  throw new PartituraError('INTERNAL', `input '${name}' doesn't own its buffer`);
}
