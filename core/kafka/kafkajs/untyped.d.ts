/** The class behind kafkajs consumers, which its public types leave out. */
declare module 'kafkajs/src/consumer/consumerGroup.js' {
  class ConsumerGroup {
    assigners: readonly object[];
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

/** The class behind its requests for offsets, likewise. */
declare module 'kafkajs/src/cluster/index.js' {
  class Cluster {
    isolationLevel: number | undefined;
    fetchTopicsOffset(topics: unknown): Promise<unknown>;
  }
  export default Cluster;
}
