/** The class behind kafkajs consumers, missing from its public types. */
declare module 'kafkajs/src/consumer/consumerGroup.js' {
  import type { GroupDescription } from 'kafkajs';

  interface Coordinator {
    describeGroups(query: { groupIds: readonly string[] }): Promise<{ groups: GroupDescription[] }>;
    leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown>;
  }
  class ConsumerGroup {
    assigners: readonly object[];
    groupId: string;
    memberId: string | null;
    leaderId: string | null;
    coordinator: Coordinator;
    /** Null until the group is joined. */
    readonly offsetManager: { coordinator: Coordinator } | null;
    readonly cluster: { findGroupCoordinator(group: { readonly groupId: string }): Promise<Coordinator> };
    assigned(): readonly { readonly topic: string; readonly partitions: readonly number[] }[];
    joinAndSync(): Promise<void>;
    heartbeat(options: { readonly interval: number }): Promise<void>;
    commitOffsets(offsets?: object): Promise<void>;
  }
  export default ConsumerGroup;
}

/** The decoder of kafkajs responses, missing from its public types. */
declare module 'kafkajs/src/protocol/decoder.js' {
  class Decoder {
    offset: number;
    readInt32(): number;
    canReadBytes(length: number): boolean;
    readBytes(length: number): Buffer;
  }
  export default Decoder;
}

/** The encoder of kafkajs requests, missing from its public types. */
declare module 'kafkajs/src/protocol/encoder.js' {
  type Content = Buffer | string | null | undefined;
  class Encoder {
    static sizeOfVarInt(value: number): number;
    static sizeOfVarLong(value: number): number;
    static sizeOfVarIntBytes(value: Content): number;
    constructor(initialSize?: number);
    writeInt8(value: number): this;
    writeVarInt(value: number): this;
    writeVarLong(value: number): this;
    writeVarIntBytes(value: Content): this;
    readonly buffer: Buffer;
  }
  export default Encoder;
}

/** A kafkajs connection to a broker, missing from its public types. */
declare module 'kafkajs/src/broker/index.js' {
  import type { KafkaMessage } from 'kafkajs';

  interface FetchedPartition {
    readonly messages: readonly KafkaMessage[];
    abortedTransactions?: readonly { readonly producerId: string; readonly firstOffset: string }[] | null;
  }
  interface FetchResponse {
    readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
  }
  class Broker {
    fetch(request: unknown): Promise<FetchResponse>;
  }
  export default Broker;
}

/** The class behind kafkajs's requests for offsets and coordinators, missing from its public types. */
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

/** Protocol errors known to kafkajs. */
declare module 'kafkajs/src/protocol/error.js' {
  const errors: {
    readonly errorCodes: readonly { readonly type: string; readonly code: number }[];
    createErrorFromCode(code: number): Error;
  };
  export default errors;
}
