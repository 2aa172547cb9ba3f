import { encodeRequest } from '../../schemas/framing/single-object.js';
import { avroNeedle, type Workload } from '../workloads.js';

const FLOAT_BYTES = 4;
const CLASSES = 10;

/** Creates a workload with rows of `width` numbers, whose outputs are their first ten. */
export function simulatedWorkload(width: number, rows: number): Workload {
  const records = Array.from({ length: 16 }, (_, index) => numbers(width * rows, index));
  return {
    values: records.map((data, index) =>
      encodeRequest({
        id: `record-${index}`,
        model: 'digits',
        modelVersion: null,
        inputs: [{ name: 'pixels', datatype: 'FP32', shape: [rows, width], data }],
        outputs: [],
        parameters: {},
        deadline: null,
      }),
    ),
    expected: records.map((data) => firstOfEachRow(data, width, rows)),
    check: 'floats',
    needle: avroNeedle(rows),
  };
}

function numbers(count: number, seed: number): Buffer {
  const values = Float32Array.from({ length: count }, (_, index) => Math.sin(seed + index));
  return Buffer.from(values.buffer);
}

function firstOfEachRow(data: Buffer, width: number, rows: number): Buffer {
  const starts = Array.from({ length: rows }, (_, row) => row * width * FLOAT_BYTES);
  return Buffer.concat(starts.map((start) => data.subarray(start, start + CLASSES * FLOAT_BYTES)));
}
