/**
 * What only a look at the cluster's own state needs, beside `KafkaAdmin`. There is one implementation, on
 * native: kafkajs has no requests for rights.
 */
export interface KafkaInspector {
  /** Connects and logs in at one address, and at no other. @throws KafkaError */
  reach(address: string): Promise<void>;
  describeCluster(): Promise<ClusterFacts>;
  topicNames(): Promise<string[]>;
  /** Those of them that exist, as far as may be known: one that may not be described is there without partitions and rights. */
  describeTopics(names: readonly string[]): Promise<TopicFacts[]>;
  describeSoftware(address: string): Promise<SoftwareFacts>;
  /** Settings in force; of those that the broker does not have there are none. */
  brokerSettings(broker: number, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  topicSettings(topic: string, names: readonly string[]): Promise<TopicSettings>;
  describeGroup(name: string): Promise<GroupFacts>;
  close(): void;
}

/** What whoever asks may do, in Kafka's words: READ, WRITE, CREATE, …; undefined where the broker does not tell. */
export type Rights = ReadonlySet<string> | undefined;

export interface BrokerFacts {
  readonly id: number;
  readonly address: string;
}

export interface ClusterFacts {
  readonly brokers: readonly BrokerFacts[];
  readonly rights: Rights;
}

/** What runs on a broker. */
export interface SoftwareFacts {
  /** Like 4.3; undefined where it does not tell. */
  readonly release: string | undefined;
  /** Whether it has the group protocol of KIP-848. */
  readonly hasConsumerProtocol: boolean;
  /** What KAFKA_CLIENT=native needs and it does not speak: `version 13 of Fetch`. */
  readonly lacking: readonly string[];
}

export interface TopicSettings {
  /** Those in force. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of those that the topic has of its own; each broker has its own values of the others. */
  readonly own: ReadonlySet<string>;
}

export interface PartitionFacts {
  readonly partition: number;
  readonly hasLeader: boolean;
  readonly replicas: number;
  readonly inSync: number;
}

export interface TopicFacts {
  readonly topic: string;
  readonly partitions: readonly PartitionFacts[];
  readonly rights: Rights;
}

export interface GroupFacts {
  readonly group: string;
  /** Stable, Empty, Dead (there is none), …, as the broker calls it; hidden where it may not be described. */
  readonly state: string;
  /** Undefined for groups of KIP-848: what tells of them can't be read by the library that we have. */
  readonly members: number | undefined;
  /** What its members subscribe to, where they tell. */
  readonly subscriptions?: readonly Subscription[];
  readonly rights: Rights;
}

/** A member of a group, and the topics that it reads. */
export interface Subscription {
  readonly clientId: string;
  readonly host: string;
  readonly topics: readonly string[];
}
