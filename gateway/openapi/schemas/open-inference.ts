import { z } from 'zod';
import { ELEMENT_BYTES } from '../../../schemas/datatypes.js';

/** Elements of a tensor: nested lists by its shape, or one flat list in row-major order. */
export const TensorData = z
  .array(z.unknown())
  .describe(
    'Numbers, booleans or strings, flat in row-major order or nested by shape. Bare NaN, Infinity and -Infinity are taken and written.',
  );

const Name = z.string().min(1);
const Shape = z.array(z.int().min(0));
const Parameters = z.record(z.string(), z.unknown());
const Datatype = z.enum(Object.keys(ELEMENT_BYTES));

export const InferInput = z.object({
  name: Name,
  datatype: Datatype,
  shape: Shape,
  data: TensorData.optional().describe('Left out if parameters.binary_data_size names binary data instead'),
  parameters: Parameters.optional(),
});

export const InferRequest = z
  .object({
    id: z.string().optional(),
    inputs: z.array(InferInput),
    outputs: z.array(z.object({ name: Name, parameters: Parameters.optional() })).optional(),
    parameters: Parameters.optional().describe('signature, priority, timeout (microseconds) and others'),
  })
  .meta({
    example: {
      id: 'a-request',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1.5, 2] }],
    },
  });

export const InferResponse = z.object({
  model_name: z.string(),
  model_version: z.string().optional(),
  id: z.string(),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: Datatype,
      shape: Shape,
      data: TensorData.optional(),
      parameters: Parameters.optional(),
    }),
  ),
});

export const ServerMetadata = z.object({
  name: z.string(),
  version: z.string(),
  extensions: z.array(z.string()),
});

const TensorMetadata = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.int().min(-1)).describe('-1 for an open dimension'),
});

export const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(TensorMetadata),
  outputs: z.array(TensorMetadata),
});

const TensorConfig = z.object({ name: z.string(), data_type: z.string(), dims: z.array(z.int()) });

export const ModelConfig = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  version_policy: z.record(z.string(), z.unknown()),
  max_batch_size: z.int().min(0),
  input: z.array(TensorConfig),
  output: z.array(TensorConfig),
  instance_group: z.array(z.object({ name: z.string(), kind: z.string(), count: z.int() })),
});

export const ModelStatistics = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      last_inference: z.int().describe('Milliseconds since the epoch'),
      inference_count: z.int(),
      execution_count: z.int(),
      inference_stats: z.record(z.string(), z.unknown()),
      batch_stats: z.array(z.unknown()),
    }),
  ),
});

export const Live = z.object({ live: z.boolean() });
export const Ready = z.object({ ready: z.boolean() });
export const ModelReady = z.object({ name: z.string(), ready: z.boolean() });

export const RepositoryIndexRequest = z.object({
  ready: z.boolean().optional().describe('true lists available versions only'),
});

export const RepositoryIndex = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    state: z.enum(['READY', 'UNAVAILABLE']),
    reason: z.string(),
  }),
);

export const RepositoryLoadRequest = z.object({
  parameters: Parameters.nullish().describe('Empty: models come from the repositories of nodes'),
});

export const RepositoryUnloadRequest = z.object({
  parameters: Parameters.nullish().describe('Ignored: unload_dependents of Triton'),
});

export const Empty = z.object({});

/** Query of a bulk request. */
export const BulkQuery = z.object({
  progress: z
    .string()
    .regex(/^\d{1,9}$/, 'expected a number of rows')
    .default('0')
    .describe('Number of rows after which a line of NDJSON reports progress; 0 for none'),
});

export const DeferredPending = z.object({
  id: z.string(),
  status: z.enum(['pending', 'failed']),
  error: z.string().optional(),
});

export const DeferredAnswer = z.union([InferResponse, DeferredPending]);
