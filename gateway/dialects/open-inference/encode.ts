import { writeTensor } from '../../../schemas/framing/oip-json.js';
import type { InferenceReply, Tensor } from '../../../schemas/generated.js';

/** An encoded answer: its JSON part and, with binary outputs, the bytes that follow it. */
export interface EncodedInfer {
  readonly json: Buffer;
  readonly tail: readonly Buffer[] | undefined;
}

/** Encodes a reply; outputs that JSON cannot hold (FP16) are binary in any case. */
export function encodeInfer(reply: InferenceReply, wantsBinary: (name: string) => boolean): EncodedInfer {
  const tail: Buffer[] = [];
  const outputs = reply.outputs.map((output) => {
    if (!wantsBinary(output.name) && isJsonable(output)) return writeTensor(output);
    tail.push(output.data);
    return binaryHead(output);
  });
  const head = {
    model_name: reply.model,
    ...(reply.modelVersion !== null && { model_version: reply.modelVersion }),
    id: reply.id,
  };
  const json = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"outputs":[${outputs.join(',')}]}`);
  return { json, tail: tail.length > 0 ? tail : undefined };
}

function isJsonable({ datatype }: Tensor): boolean {
  return datatype !== 'FP16';
}

function binaryHead({ name, datatype, shape, data }: Tensor): string {
  return JSON.stringify({ name, datatype, shape, parameters: { binary_data_size: data.length } });
}
