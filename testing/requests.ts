import type { InferenceReply, InferenceRequest, Tensor } from '../schemas/generated.js';

/** Example values for tests of several folders; a test names the fields that matter to it. */
export function exampleTensor(changes: Partial<Tensor> = {}): Tensor {
  return {
    name: 'pixels',
    datatype: 'FP32',
    shape: [1, 2],
    data: Buffer.from('0000803f000000c0', 'hex'),
    ...changes,
  };
}

export function exampleRequest(changes: Partial<InferenceRequest> = {}): InferenceRequest {
  return {
    id: 'r-1',
    model: 'digits',
    modelVersion: null,
    inputs: [exampleTensor()],
    outputs: [],
    parameters: {},
    deadline: null,
    ...changes,
  };
}

export function exampleReply(changes: Partial<InferenceReply> = {}): InferenceReply {
  return {
    id: 'r-1',
    model: 'digits',
    modelVersion: '1',
    outputs: [exampleTensor({ name: 'probabilities' })],
    error: null,
    node: 'node-1',
    timing: { queueMicros: 10, computeMicros: 20, batchSize: 1 },
    ...changes,
  };
}

/** Converts decoded records, which are instances of avsc's classes, to plain objects for comparison. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]));
}
