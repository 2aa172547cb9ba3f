/** JSON of the console's views, as `/console/api/...` and the event stream deliver it. Times are milliseconds since the epoch. */

/** Facts about the cluster and this gateway. */
export interface ClusterView {
  readonly brokers: readonly string[];
  /** Prefix of the cluster's topics. */
  readonly prefix: string;
  /** True if the pages change nothing. */
  readonly readOnly: boolean;
  /** Present while the brokers do not answer. */
  readonly outage: { readonly since: number; readonly reason: string } | null;
}

export interface NodeView {
  readonly node: string;
  readonly host: string;
  readonly state: 'STARTING' | 'READY' | 'DRAINING';
  /** False without a recent heartbeat. */
  readonly alive: boolean;
  readonly startedAt: number;
  readonly beatAt: number;
  readonly inflightRequests: number;
  readonly inflightBytes: number;
  readonly capacityRequests: number;
  /** Engine time per row, moving average, microseconds. */
  readonly serviceMicros: number;
  readonly models: readonly ModelOnNode[];
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[];
  readonly skippedFolders: readonly string[];
}

export interface ModelOnNode {
  readonly model: string;
  readonly version: string;
  readonly state: string;
  readonly message: string;
}

export interface TensorView {
  readonly name: string;
  readonly datatype: string;
  /** -1 is an open dimension. */
  readonly shape: readonly number[];
  readonly labels: readonly string[];
}

export interface SignatureView {
  readonly name: string | null;
  readonly inputs: readonly TensorView[];
  readonly outputs: readonly TensorView[];
  readonly batching: BatchingView | null;
  readonly problem: string | null;
}

export interface BatchingView {
  readonly batchable: boolean;
  readonly reason: string;
}

export interface MeasurementView {
  readonly microsAlone: number;
  readonly microsPerRow: number;
  readonly bestBatchRows: number;
}

export interface VersionView {
  readonly version: string;
  /** AVAILABLE if a live node serves it; otherwise the state that a node reports. */
  readonly state: string;
  readonly message: string;
  readonly format: string;
  readonly runtime: string;
  readonly batching: BatchingView | null;
  readonly measured: MeasurementView | null;
  /** Default signature first. */
  readonly signatures: readonly SignatureView[];
  readonly nodes: readonly { readonly node: string; readonly state: string; readonly message: string }[];
}

/** A model with its versions, newest first. */
export interface ModelView {
  readonly name: string;
  readonly versions: readonly VersionView[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Expected wait of a new request by model, milliseconds. */
export type WaitsView = Readonly<Record<string, number>>;

export interface TopicView {
  readonly topic: string;
  readonly role: 'requests' | 'replies' | 'dead letters' | 'binding source' | 'cluster';
  /** Model or binding whose group reads the topic; null if none does. */
  readonly reader: string | null;
  readonly records: number;
  /** Records that the group has not finished; null without a group. */
  readonly lag: number | null;
  readonly partitions: readonly PartitionView[];
}

export interface PartitionView {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
  /** Committed offset; null if there is none. */
  readonly committed: number | null;
  readonly lag: number | null;
  /** Node that owns the partition; null if none does. */
  readonly owner: string | null;
}

export interface BindingView {
  readonly name: string;
  readonly source: string;
  readonly output: string;
  readonly model: string;
  readonly appliedAt: number;
  readonly nodes: readonly { readonly node: string; readonly state: string; readonly message: string }[];
}

/** One second of a gateway's traffic and the cluster's load. */
export interface TrafficPoint {
  readonly at: number;
  /** Requests answered by this gateway per second, of all dialects. */
  readonly answered: number;
  /** Those with an error status. */
  readonly failed: number;
  /** Median and 95th percentile of the time to answer, milliseconds; null without requests. */
  readonly p50: number | null;
  readonly p95: number | null;
  /** Requests in flight on all nodes. */
  readonly inflight: number;
  /** Records that arrived on request topics per second, from all senders; null while topics are not read. */
  readonly arrived: number | null;
  /** Records that are not finished, of all request topics; null while topics are not read. */
  readonly lag: number | null;
}

/** Events of the stream `/console/api/events`, by name. */
export interface LiveEvents {
  readonly cluster: ClusterView;
  readonly nodes: readonly NodeView[];
  readonly models: readonly ModelView[];
  readonly waits: WaitsView;
  readonly topics: readonly TopicView[];
  readonly bindings: readonly BindingView[];
  /** The last minutes, sent once. */
  readonly history: readonly TrafficPoint[];
  readonly point: TrafficPoint;
}
