export interface TestBrokerOptions {
  /** Partitions of a topic that is created without saying how many. */
  readonly partitions?: number;
  /** Kafka's own settings, over ours. */
  readonly settings?: Record<string, string>;
  /** The most memory for the broker's heap, in MiB. */
  readonly heapMb?: number;
}

/** A broker of one test file. All its data go with `stop`; `kill` (SIGKILL) and `restart` keep them, and the address. */
export interface TestBroker {
  readonly bootstrap: string;
  readonly kind: TestBrokerKind;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export type TestBrokerKind = 'testcontainers' | 'embedded';
