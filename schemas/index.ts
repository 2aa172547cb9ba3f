export { nodeStatusCodec, replyCodec, requestCodec } from './codecs.js';
export { ELEMENT_BYTES, elementCount, formatShape, isDatatype, type Datatype } from './datatypes.js';
export { ERROR_CODES, PartituraError, isErrorCode, type ErrorCode } from './errors.js';
export * from './framing/index.js';
export type {
  InferenceError,
  InferenceReply,
  InferenceRequest,
  NodeStatus,
  Tensor,
  Timing,
} from './generated.js';
export { areTexts, decodeElements, elementEnd, encodeElements, splitBytes, type Element } from './tensor.js';
