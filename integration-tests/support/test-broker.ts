export interface TestBrokerOptions {
  /** Default number of partitions of new topics. */
  readonly partitions?: number;
  /** Broker properties that override ours. */
  readonly settings?: Record<string, string>;
  /** Maximum heap of the broker, in MiB. */
  readonly heapMb?: number;
}

/** A broker for one test file. `stop` deletes its data; `kill` (SIGKILL) and `restart` keep data and address. */
export interface TestBroker {
  readonly bootstrap: string;
  readonly kind: TestBrokerKind;
  stop(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

export type TestBrokerKind = 'testcontainers' | 'embedded';
