import { AvroCodec } from './avro/codec.js';
import {
  InferenceErrorSchema,
  InferenceReplySchema,
  InferenceRequestSchema,
  NodeStatusSchema,
  TensorSchema,
  TimingSchema,
  type InferenceReply,
  type InferenceRequest,
  type NodeStatus,
} from './generated.js';
import type { Schema } from 'avsc';

/** Generated constants are deeply read-only, unlike avsc's schema type. */
const schema = (constant: object): Schema => constant as Schema;

export const REQUEST_DEPENDENCIES = [schema(TensorSchema)];
export const REPLY_DEPENDENCIES = [schema(TensorSchema), schema(InferenceErrorSchema), schema(TimingSchema)];

export const requestCodec = new AvroCodec<InferenceRequest>(
  schema(InferenceRequestSchema),
  REQUEST_DEPENDENCIES,
);
export const replyCodec = new AvroCodec<InferenceReply>(schema(InferenceReplySchema), REPLY_DEPENDENCIES);
export const nodeStatusCodec = new AvroCodec<NodeStatus>(schema(NodeStatusSchema));
