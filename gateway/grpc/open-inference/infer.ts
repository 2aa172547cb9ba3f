import type { InferenceReply } from '../../../schemas/generated.js';
import type { GatewayServices } from '../../dialects/rest-dialect.js';
import type { CallContext } from '../../inference/inferences.js';
import type { Problem } from '../../inference/problem.js';
import { sentence } from '../failures.js';
import type { OrderedStreamMethod, UnaryMethod } from '../grpc-service.js';
import { decodeInfer } from './decode.js';
import { optional, type ModelInferRequest } from './messages.js';

/** Parameter by which clients of streams count answers: each request has one. */
const FINAL = { triton_final_response: { bool_param: true } };

/** Creates the method `ModelInfer`; outputs are answered in `raw_output_contents`. */
export function modelInfer({ inferences, models }: GatewayServices): UnaryMethod {
  return async (message: ModelInferRequest, context: CallContext) => {
    models.visibleTo(context.identity).resolve(message.model_name, optional(message.model_version));
    const { inference, timeoutMs } = decodeInfer(message);
    const limit = Math.min(context.timeoutMs, timeoutMs ?? Infinity);
    return encodeReply(message, await inferences.infer(inference, { ...context, timeoutMs: limit }));
  };
}

/** Creates the method `ModelStreamInfer`; a failure is an answer with `error_message` and the id of its request. */
export function modelStreamInfer(services: GatewayServices): OrderedStreamMethod {
  const infer = modelInfer(services) as (message: ModelInferRequest, context: CallContext) => Promise<object>;
  return {
    answer: async (message: ModelInferRequest, context) => ({
      error_message: '',
      infer_response: { ...(await infer(message, context)), parameters: FINAL },
    }),
    failure: ({ id, model_name }: ModelInferRequest, { message }: Problem) => ({
      error_message: sentence(message),
      infer_response: { id, model_name, parameters: FINAL },
    }),
  };
}

function encodeReply(
  { id, model_name }: ModelInferRequest,
  { modelVersion, outputs }: InferenceReply,
): object {
  return {
    model_name,
    model_version: modelVersion ?? '',
    id,
    outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_output_contents: outputs.map(({ data }) => data),
  };
}
