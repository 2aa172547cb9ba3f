import { z } from 'zod';
import type * as views from '../../../console/api/views.js';
import { Job } from './jobs.js';
import { LetterCommand } from '../../../console/server/dead-letters/selection.js';

const { string, int, number, boolean, array, object, record, enum: oneOf } = z;

const ByNode = array(object({ node: string(), state: string(), message: string() }));
const Counts = record(string(), int());

export const ClusterView = object({
  brokers: array(string()),
  prefix: string().describe("Of the cluster's topics"),
  readOnly: boolean().describe('True if the pages change nothing'),
  secured: boolean().describe('True if requests need a credential'),
  outage: object({ since: number(), reason: string() })
    .nullable()
    .describe('While the brokers do not answer'),
}) satisfies z.ZodType<views.ClusterView>;

export const NodeView = object({
  node: string(),
  host: string(),
  state: oneOf(['STARTING', 'READY', 'DRAINING']),
  alive: boolean().describe('False without a recent heartbeat'),
  startedAt: number(),
  beatAt: number(),
  inflightRequests: int(),
  inflightBytes: int(),
  capacityRequests: int(),
  serviceMicros: number().describe('Engine time per row, moving average, microseconds'),
  models: array(object({ model: string(), version: string(), state: string(), message: string() })),
  partitions: array(object({ topic: string(), partition: int() })),
  skippedFolders: array(string()),
}) satisfies z.ZodType<views.NodeView>;

export const NodeViews = array(NodeView);

const Tensors = array(
  object({
    name: string(),
    datatype: string(),
    shape: array(int()).describe('-1 for an open dimension'),
    labels: array(string()),
  }),
);
const Batching = object({ batchable: boolean(), reason: string() }).nullable();

export const ModelView = object({
  name: string(),
  versions: array(
    object({
      version: string(),
      state: string(),
      message: string(),
      format: string(),
      runtime: string(),
      batching: Batching,
      measured: object({ microsAlone: number(), microsPerRow: number(), bestBatchRows: int() }).nullable(),
      signatures: array(
        object({
          name: string().nullable(),
          inputs: Tensors,
          outputs: Tensors,
          batching: Batching,
          problem: string().nullable(),
        }),
      ).describe('Default signature first'),
      nodes: ByNode,
    }),
  ).describe('Newest first'),
  labels: record(string(), string()),
}) satisfies z.ZodType<views.ModelView>;

export const ModelViews = array(ModelView);

export const WaitsView = record(string(), number()).describe(
  'Expected wait of a new request by model, milliseconds',
) satisfies z.ZodType<views.WaitsView>;

export const TopicView = object({
  topic: string(),
  role: oneOf(['requests', 'replies', 'dead letters', 'binding source', 'cluster']),
  reader: string().nullable().describe('Model or binding whose group reads the topic'),
  records: int(),
  lag: int().nullable().describe('Records that the group has not finished'),
  partitions: array(
    object({
      partition: int(),
      start: int(),
      end: int(),
      committed: int().nullable(),
      lag: int().nullable(),
      owner: string().nullable().describe('Node that owns the partition'),
    }),
  ),
}) satisfies z.ZodType<views.TopicView>;

export const TopicViews = array(TopicView);

export const BindingViews = array(
  object({
    name: string(),
    source: string(),
    output: string(),
    model: string(),
    appliedAt: number(),
    nodes: ByNode,
  }),
) satisfies z.ZodType<readonly views.BindingView[]>;

export const TrafficView = array(
  object({
    at: number(),
    answered: number().describe('Requests that this gateway answered per second'),
    failed: number(),
    p50: number().nullable().describe('Milliseconds'),
    p95: number().nullable().describe('Milliseconds'),
    inflight: int().describe('Requests in flight on all nodes'),
    arrived: number().nullable().describe('Records that arrived on request topics per second'),
    lag: int().nullable(),
  }),
).describe('One point a second, oldest first') satisfies z.ZodType<readonly views.TrafficPoint[]>;

export const Overview = object({
  cluster: ClusterView,
  nodes: NodeViews,
  models: ModelViews,
  waits: WaitsView,
  topics: TopicViews.nullable().describe('Null while the brokers do not answer'),
  traffic: TrafficView,
});

export const JobView = Job satisfies z.ZodType<views.JobView>;
export const JobViews = array(JobView);

const letterRow = {
  topic: string(),
  partition: int(),
  offset: int(),
  at: number(),
  state: oneOf(['open', 'replayed', 'dropped']),
  reason: string().nullable(),
  stage: string().nullable(),
  message: string().nullable(),
  key: string().nullable(),
  replays: int(),
};
const Bytes = object({
  bytes: int(),
  text: string().nullable().describe('Null if the bytes are no text'),
  hex: string(),
  cut: boolean().describe('True if only the first bytes are shown'),
}).nullable();

export const DeadLettersView = object({
  total: int().describe('Dead letters that the query selects'),
  byReason: Counts,
  topics: array(string()),
  letters: array(object(letterRow)).describe('Newest first'),
}) satisfies z.ZodType<views.DeadLettersView>;

export const DeadLetterView = object({
  ...letterRow,
  origin: object({ topic: string(), partition: int().nullable(), offset: int().nullable() }).nullable(),
  valueDropped: string().nullable(),
  keyBytes: Bytes,
  value: Bytes,
  headers: array(object({ name: string(), value: Bytes })),
}) satisfies z.ZodType<views.DeadLetterView>;

export const DeadLetterCommand = LetterCommand.describe('All given conditions must match').meta({
  example: { topic: 'partitura.digits.requests-dlt', dryRun: true },
});

export const DeadLetterOutcome = object({
  dryRun: boolean(),
  done: int(),
  byTopic: Counts,
  left: Counts.describe('Dead letters left, by reason'),
  stopped: string().nullable().describe('Why the work stopped before its end'),
}) satisfies z.ZodType<views.DeadLetterOutcome>;

export const RequestView = object({
  id: string(),
  since: number().describe('Records from then on were searched'),
  steps: array(object({ at: number(), what: string(), where: string(), details: string() })),
  open: array(string()).describe('States of requests without an outcome'),
  cut: boolean().describe('True if there are more records than shown'),
  topics: array(string()),
}) satisfies z.ZodType<views.RequestView>;
