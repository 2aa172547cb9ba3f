import { loadDigits, loadExpectations, PIXELS } from '../examples/digits/dataset.js';
import { decodeReply, encodeRequest } from '../schemas/framing/single-object.js';

/** What is sent, and what a right reply is. */
export interface Workload {
  readonly values: readonly Buffer[];
  readonly isRight: (index: number, value: Buffer) => boolean;
}

const TOLERANCE = 1e-5;
const samples = loadExpectations().samples;

const values = samples.map(({ row }) => {
  const pixels = loadDigits().pixels[row] as Float32Array;
  const data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return encodeRequest({
    id: `row-${row}`,
    model: 'digits',
    modelVersion: null,
    inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, PIXELS], data }],
    outputs: [],
    parameters: {},
    deadline: null,
  });
});

/** One digit a request; right is what the training script wrote down. */
export const digits: Workload = {
  values,
  isRight(index, value) {
    const data = decodeReply(value).outputs[0]?.data;
    const expected = samples[index]?.probabilities ?? [];
    const isNear = (probability: number, position: number): boolean =>
      Math.abs((data?.readFloatLE(position * 4) ?? NaN) - probability) < TOLERANCE;
    return expected.every(isNear);
  },
};

/** The same records, sent back as they are. */
export const echoed: Workload = { values, isRight: (index, value) => values[index]?.equals(value) ?? false };
