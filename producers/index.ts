export { connect, PartituraClient } from './client.js';
export type { Attempt, ClientOptions, Inputs, Prediction, PredictOptions } from './client.js';
export type { RequestOptions } from './request-channel.js';
export type { InferenceReply, InferenceRequest, Tensor } from '../schemas/generated.js';
export { NoReplyError, type NoReplyReason } from './no-reply-error.js';
export type { InputTensor, NestedList, OutputTensor } from './tensors.js';
export { ERROR_CODES, PartituraError, type ErrorCode } from '../schemas/errors.js';
export type { Datatype } from '../schemas/datatypes.js';
