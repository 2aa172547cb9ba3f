/** The class behind kafkajs consumers, which its public types leave out. */
declare module 'kafkajs/src/consumer/consumerGroup.js' {
  class ConsumerGroup {
    assigners: readonly object[];
    memberId: string | null;
    joinAndSync(): Promise<void>;
  }
  export default ConsumerGroup;
}

/** The class behind kafkajs's reading of responses, likewise. */
declare module 'kafkajs/src/protocol/decoder.js' {
  export interface Header {
    readonly key: string;
    readonly value: Buffer | null;
  }
  class Decoder {
    readVarIntArray(reader: unknown): Header[];
  }
  export default Decoder;
}

/** The class behind its requests for offsets and for coordinators, likewise. */
declare module 'kafkajs/src/cluster/index.js' {
  export interface CoordinatorQuery {
    readonly groupId: string;
    readonly coordinatorType: number;
  }
  export interface FoundCoordinator {
    readonly coordinator: { readonly nodeId: number };
  }
  interface AskedBroker {
    readonly broker: { findGroupCoordinator(query: CoordinatorQuery): Promise<FoundCoordinator> };
  }
  class Cluster {
    readonly brokerPool: { withBroker<T>(ask: (asked: AskedBroker) => Promise<T>): Promise<T | null> };
    findGroupCoordinatorMetadata(query: CoordinatorQuery): Promise<FoundCoordinator>;
    isolationLevel: number | undefined;
    fetchTopicsOffset(topics: unknown): Promise<unknown>;
  }
  export default Cluster;
}
