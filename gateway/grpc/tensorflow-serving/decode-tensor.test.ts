import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTensorProto } from './decode-tensor.js';
import type { TensorProto } from './tensor-proto.js';

const MAX_BYTES = 10_000;
const EMPTY: TensorProto = {
  dtype: 'DT_STRING',
  tensor_shape: null,
  tensor_content: Buffer.alloc(0),
  float_val: [],
  double_val: [],
  int_val: [],
  string_val: [],
  int64_val: [],
  bool_val: [],
  half_val: [],
  uint32_val: [],
  uint64_val: [],
};

function strings(count: number, ...values: string[]): TensorProto {
  const tensor_shape = { dim: [{ size: String(count) }], unknown_rank: false };
  return { ...EMPTY, tensor_shape, string_val: values.map((value) => Buffer.from(value)) };
}

test('a string that is repeated counts with its length, however small the message', () => {
  assert.equal(decodeTensorProto('s', strings(90, 'x'.repeat(100)), MAX_BYTES).data.length, 90 * 104);
  assert.throws(() => decodeTensorProto('s', strings(1_000, 'x'.repeat(100)), MAX_BYTES), {
    code: 'REQUEST_TOO_LARGE',
    message: "input 's': expected at most 10000 bytes, got shape [1000]",
  });
});
