/** JSON of the console's views, as `/console/api/...` and the event stream deliver it. Times are milliseconds since the epoch. */

/** Facts about the cluster and this gateway. */
export interface ClusterView {
  readonly brokers: readonly string[];
  /** Prefix of the cluster's topics. */
  readonly prefix: string;
  /** True if the pages change nothing. */
  readonly readOnly: boolean;
  /** True if requests need a credential. */
  readonly secured: boolean;
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

/** A split job. */
export interface JobView {
  readonly id: string;
  readonly kind: string;
  readonly state: 'QUEUED' | 'RUNNING' | 'DONE' | 'FAILED' | 'CANCELLED';
  readonly coordinator: string;
  readonly submittedAt: number;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly finishedAt: number | null;
  /** Parts that nodes compute; null if that is not known yet. */
  readonly parts: number | null;
  readonly partsDone: number;
  /** Parts that were sent a second time because the first took too long. */
  readonly partsRepeated: number;
  /** Parts that are done, as ranges: `0-12,15`. */
  readonly doneRanges: string;
  readonly failedParts: readonly number[];
  /** Output file; null if the result is on the reply topic. */
  readonly output: string | null;
  readonly replyTopic: string;
  readonly error: { readonly code: string; readonly message: string } | null;
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
  /** The job that changed last at the end. */
  readonly jobs: readonly JobView[];
  /** The last minutes, sent once. */
  readonly history: readonly TrafficPoint[];
  readonly point: TrafficPoint;
}

/** Bytes of a record: as text where they are text, and in hexadecimal. */
export interface BytesView {
  readonly bytes: number;
  /** Null if the bytes are no text. */
  readonly text: string | null;
  readonly hex: string;
  /** True if only the first bytes are shown. */
  readonly cut: boolean;
}

/** A row of the list of dead letters. */
export interface DeadLetterRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly at: number;
  readonly state: 'open' | 'replayed' | 'dropped';
  readonly reason: string | null;
  readonly stage: string | null;
  readonly message: string | null;
  readonly key: string | null;
  readonly replays: number;
}

export interface DeadLettersView {
  /** Number of letters that the filter selects. */
  readonly total: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** Topics that hold dead letters. */
  readonly topics: readonly string[];
  /** The newest letters, newest first. */
  readonly letters: readonly DeadLetterRow[];
}

/** One dead letter with its bytes. */
export interface DeadLetterView extends DeadLetterRow {
  readonly origin: {
    readonly topic: string;
    readonly partition: number | null;
    readonly offset: number | null;
  } | null;
  /** Explanation that replaces a dropped value. */
  readonly valueDropped: string | null;
  readonly keyBytes: BytesView | null;
  readonly value: BytesView | null;
  readonly headers: readonly { readonly name: string; readonly value: BytesView | null }[];
}

/** Letters to replay or drop; all given conditions must match. */
export interface DeadLetterSelection {
  readonly topic?: string | undefined;
  readonly reason?: string | undefined;
  readonly stage?: string | undefined;
  readonly key?: string | undefined;
  /** Milliseconds since the epoch, inclusive. */
  readonly since?: number | undefined;
  /** Milliseconds since the epoch, exclusive. */
  readonly until?: number | undefined;
  readonly place?:
    { readonly topic: string; readonly partition: number; readonly offset: number } | undefined;
}

/** Result of a replay or a drop, or of its dry run. */
export interface DeadLetterOutcome {
  readonly dryRun: boolean;
  readonly done: number;
  /** Letters by the topic they were sent to or dropped from. */
  readonly byTopic: Readonly<Record<string, number>>;
  /** Letters left, by reason. */
  readonly left: Readonly<Record<string, number>>;
  /** Reason why the work stopped before its end; null if it did not. */
  readonly stopped: string | null;
}

/** A step in the life of a request. */
export interface StepView {
  readonly at: number;
  readonly what: string;
  readonly where: string;
  readonly details: string;
}

/** The life of one request across topics and nodes. */
export interface RequestView {
  readonly id: string;
  /** Milliseconds since the epoch from which on records were searched. */
  readonly since: number;
  readonly steps: readonly StepView[];
  /** States of requests without an outcome. */
  readonly open: readonly string[];
  /** True if there are more records than shown. */
  readonly cut: boolean;
  /** Topics that were searched. */
  readonly topics: readonly string[];
}
