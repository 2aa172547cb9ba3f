/**
 * Queries about the state of the cluster, in addition to `KafkaAdmin`. Implemented on the native client only: kafkajs
 * has no requests for permissions.
 */
export interface KafkaInspector {
  /** Connects and logs in at this address only. @throws KafkaError */
  reach(address: string): Promise<void>;
  describeCluster(): Promise<ClusterFacts>;
  topicNames(): Promise<string[]>;
  /** Describes the topics that exist; one without DESCRIBE permission is returned without partitions and rights. */
  describeTopics(names: readonly string[]): Promise<TopicFacts[]>;
  describeSoftware(address: string): Promise<SoftwareFacts>;
  /** Returns the effective settings; settings unknown to the broker are left out. */
  brokerSettings(broker: number, names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  topicSettings(topic: string, names: readonly string[]): Promise<TopicSettings>;
  describeGroup(name: string): Promise<GroupFacts>;
  close(): void;
}

/**
 * Operations that the caller is authorized for, in Kafka's terms: READ, WRITE, CREATE, …; undefined if the broker
 * does not report them.
 */
export type Rights = ReadonlySet<string> | undefined;

export interface BrokerFacts {
  readonly id: number;
  readonly address: string;
}

export interface ClusterFacts {
  readonly brokers: readonly BrokerFacts[];
  readonly rights: Rights;
}

/** Software version and features of a broker. */
export interface SoftwareFacts {
  /** For example 4.3; undefined if the broker does not report it. */
  readonly release: string | undefined;
  /** True if the broker supports the group protocol of KIP-848. */
  readonly hasConsumerProtocol: boolean;
  /** Reason why share groups cannot be used; undefined if they can. */
  readonly shareGroupProblem: string | undefined;
  /** Requests that KAFKA_CLIENT=native needs and the broker does not support: `version 13 of Fetch`. */
  readonly lacking: readonly string[];
}

export interface TopicSettings {
  /** Effective values. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of the settings overridden on the topic; the values of all others may differ between brokers. */
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
  /**
   * Stable, Empty, Dead (the group does not exist), …, as named by the broker; hidden without DESCRIBE permission.
   */
  readonly state: string;
  /** Undefined for groups of KIP-848: the library cannot decode the response that describes them. */
  readonly members: number | undefined;
  /** Subscriptions of the members that report them. */
  readonly subscriptions?: readonly Subscription[];
  readonly rights: Rights;
}

/** A group member and the topics it reads. */
export interface Subscription {
  readonly clientId: string;
  readonly host: string;
  readonly topics: readonly string[];
}
