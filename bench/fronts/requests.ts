import protobuf from 'protobufjs/minimal.js';
import { loadDigits, PIXELS } from '../../examples/digits/dataset.js';
import type { HttpRequest } from './http-load.js';

/** The model of these measurements, as all compared servers name it. */
export const MODEL = 'digits';

const LENGTH_DELIMITED = 2;
const FLOAT_BYTES = 4;
/** Length of gRPC's prefix: a flag and the length of the message. */
const PREFIX_BYTES = 5;

/** Fields of `inference.ModelInferRequest` and its input tensor. */
const FIELD = { model: 1, inputs: 5, rawInputs: 7, name: 1, datatype: 2, shape: 3 } as const;

const tag = (field: number): number => (field << 3) | LENGTH_DELIMITED;

/** Returns the pixels of the first digits, which repeat. */
export function pixelsOf(rows: number): Buffer {
  const { pixels } = loadDigits();
  const all = Array.from({ length: rows }, (_, row) => pixels[row % pixels.length] ?? new Float32Array());
  return Buffer.concat(all.map((row) => Buffer.from(row.buffer, row.byteOffset, row.byteLength)));
}

/** A request of the Open Inference Protocol with its numbers in JSON. */
export function jsonRequest(base: string, rows: number): HttpRequest {
  const bytes = pixelsOf(rows);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / FLOAT_BYTES);
  const input = { name: 'pixels', datatype: 'FP32', shape: [rows, PIXELS], data: [...numbers] };
  return {
    url: `${base}/v2/models/${MODEL}/infer`,
    protocol: 'http/1.1',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ inputs: [input] })),
  };
}

/** The same with the binary tensor extension, in both directions. */
export function binaryRequest(base: string, rows: number): HttpRequest {
  const bytes = pixelsOf(rows);
  const parameters = { binary_data_size: bytes.length };
  const input = { name: 'pixels', datatype: 'FP32', shape: [rows, PIXELS], parameters };
  const head = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
  return {
    url: `${base}/v2/models/${MODEL}/infer`,
    protocol: 'http/1.1',
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
    },
    body: Buffer.concat([head, bytes]),
  };
}

/** The same over gRPC, with the tensor in `raw_input_contents`. */
export function grpcRequest(address: string, rows: number): HttpRequest {
  const input = protobuf.Writer.create();
  input.uint32(tag(FIELD.name)).string('pixels').uint32(tag(FIELD.datatype)).string('FP32');
  input.uint32(tag(FIELD.shape)).fork().int64(rows).int64(PIXELS).ldelim();
  const message = protobuf.Writer.create();
  message.uint32(tag(FIELD.model)).string(MODEL).uint32(tag(FIELD.inputs)).bytes(input.finish());
  message.uint32(tag(FIELD.rawInputs)).bytes(pixelsOf(rows));
  const bytes = message.finish();
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(bytes.length, 1);
  return {
    url: `http://${address}/inference.GRPCInferenceService/ModelInfer`,
    protocol: 'h2c',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: Buffer.concat([prefix, bytes]),
  };
}
