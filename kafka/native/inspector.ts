import {
  apiVersionsV3,
  ConfigResourceTypes,
  ConfigSources,
  describeClusterV0,
  describeConfigsV4,
  describeGroupsV5,
  listGroupsV4,
  metadataV11,
  metadataV12,
  type ConfigResourceTypeValue,
} from '../platformatic/index.js';
import { formatAddress, mustParseAddress } from '../../core/address.js';
import type {
  ClusterFacts,
  GroupFacts,
  KafkaInspector,
  Rights,
  SoftwareFacts,
  TopicFacts,
  TopicSettings,
} from '../inspector.js';
import { subscribedTopics } from '../subscriptions.js';
import { missingRequests, type Cluster } from './transport/cluster.js';
import { Connections } from './transport/connections.js';
import {
  brokerError,
  brokerErrorNames,
  errorName,
  responseOf,
  toConnectError,
  toKafkaError,
} from './transport/errors.js';
import { featuresRequest } from './protocol/features.js';
import { shareGroupProblem } from './share/share-group-support.js';
import { retry } from './transport/retry.js';

const CONSUMER_GROUP_HEARTBEAT = 68;
const NO_LEADER = -1;
/** https://kafka.apache.org/protocol: rights are a bit field, numbered like ACL operations. */
const OPERATIONS = [
  'READ',
  'WRITE',
  'CREATE',
  'DELETE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
];
const FIRST_OPERATION = 3;
const RIGHTS_UNKNOWN = -(2 ** 31);
const DEAD = 'Dead';
const GROUP_REFUSED = 'GROUP_AUTHORIZATION_FAILED';
const RELEASE_LIMIT_MS = 5_000;
const NOTHING: ReadonlySet<string> = new Set();
/** Endpoint type in a cluster description. */
const BROKERS = 1;

export class NativeInspector implements KafkaInspector {
  constructor(readonly cluster: Cluster) {}

  async reach(address: string): Promise<void> {
    const connections = new Connections(this.cluster.settings);
    try {
      await connections.request(mustParseAddress(address), metadataV11.api, [[], false, false]);
    } catch (error) {
      throw toConnectError(error, [address]);
    } finally {
      connections.close();
    }
  }

  describeCluster(): Promise<ClusterFacts> {
    return asked(async () => {
      const { brokers, clusterAuthorizedOperations } = await this.cluster.anyBroker(describeClusterV0.api, [
        true,
        BROKERS,
      ]);
      return {
        brokers: brokers.map(({ brokerId, host, port }) => ({
          id: brokerId,
          address: formatAddress({ host, port }),
        })),
        rights: rightsOf(clusterAuthorizedOperations),
      };
    });
  }

  topicNames(): Promise<string[]> {
    return asked(() => this.cluster.topicNames());
  }

  describeTopics(names: readonly string[]): Promise<TopicFacts[]> {
    return asked(async () => {
      const { topics } = await this.cluster
        // Not version 11: the library encodes it incorrectly if rights are requested.
        .anyBroker(metadataV12.api, [[...names], false, true])
        .catch((error: unknown) => {
          // The library discards the whole response if one topic has an error.
          const partial = responseOf<ReturnType<typeof metadataV12.parseResponse>>(error);
          if (!partial) throw error;
          return partial;
        });
      return topics
        .filter(({ errorCode }) => errorName(errorCode) !== 'UNKNOWN_TOPIC_OR_PARTITION')
        .map(({ errorCode, name, partitions, topicAuthorizedOperations }) => ({
          topic: name ?? '',
          partitions: partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
            partition: partitionIndex,
            hasLeader: leaderId !== NO_LEADER,
            replicas: replicaNodes.length,
            inSync: isrNodes.length,
          })),
          rights:
            errorName(errorCode) === 'TOPIC_AUTHORIZATION_FAILED'
              ? NOTHING
              : rightsOf(topicAuthorizedOperations),
        }));
    });
  }

  describeSoftware(address: string): Promise<SoftwareFacts> {
    const { connections } = this.cluster;
    const broker = mustParseAddress(address);
    return asked(async () => {
      const { apiKeys } = await connections.request(broker, apiVersionsV3.api, ['partitura', '1']);
      const features = await connections.send(broker, featuresRequest(), RELEASE_LIMIT_MS);
      return {
        release: features.release,
        shareGroupProblem: shareGroupProblem(features),
        hasConsumerProtocol: apiKeys.some(({ apiKey }) => apiKey === CONSUMER_GROUP_HEARTBEAT),
        lacking: missingRequests(apiKeys),
      };
    });
  }

  brokerSettings(broker: number, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return asked(async () => {
      await this.cluster.controller();
      const args = settingsOf(ConfigResourceTypes.BROKER, String(broker), names);
      const { connections } = this.cluster;
      const found = await connections.request(this.cluster.broker(broker), describeConfigsV4.api, args);
      return settingsIn(found).values;
    });
  }

  topicSettings(topic: string, names: readonly string[]): Promise<TopicSettings> {
    const args = settingsOf(ConfigResourceTypes.TOPIC, topic, names);
    return asked(async () => settingsIn(await this.cluster.anyBroker(describeConfigsV4.api, args)));
  }

  async describeGroup(name: string): Promise<GroupFacts> {
    try {
      return await asked(() => this.#describeGroup(name));
    } catch (error) {
      if (!brokerErrorNames(error).includes(GROUP_REFUSED)) throw error;
      return { group: name, state: 'hidden', members: undefined, rights: NOTHING };
    }
  }

  async #describeGroup(name: string): Promise<GroupFacts> {
    const coordinator = await this.cluster.coordinator('GROUP', name);
    const { connections } = this.cluster;
    const { groups } = await connections.request(coordinator, describeGroupsV5.api, [[name], true]);
    const [found] = groups;
    if (!found) throw brokerError('COORDINATOR_NOT_AVAILABLE', name);
    const rights = rightsOf(found.authorizedOperations);
    if (found.groupState !== DEAD)
      return {
        group: name,
        state: found.groupState,
        members: found.members.length,
        subscriptions: found.members.map(({ clientId, clientHost, memberMetadata }) => ({
          clientId,
          host: clientHost.replace(/^\//, ''),
          topics: subscribedTopics(memberMetadata),
        })),
        rights,
      };
    // DescribeGroups reports groups of KIP-848 as dead.
    const all = await connections.request(coordinator, listGroupsV4.api, [[], []]);
    const listed = all.groups.find(({ groupId }) => groupId === name);
    if (listed) return { group: name, state: listed.groupState, members: undefined, rights };
    return { group: name, state: DEAD, members: 0, rights };
  }

  close(): void {
    this.cluster.close();
  }
}

async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await retry(work);
  } catch (error) {
    throw toKafkaError(error);
  }
}

function settingsOf(
  resourceType: ConfigResourceTypeValue,
  resourceName: string,
  names: readonly string[],
): [
  { resourceType: ConfigResourceTypeValue; resourceName: string; configurationKeys: string[] }[],
  boolean,
  boolean,
] {
  return [[{ resourceType, resourceName, configurationKeys: [...names] }], false, false];
}

function settingsIn({ results }: ReturnType<typeof describeConfigsV4.parseResponse>): TopicSettings {
  const configs = results[0]?.configs ?? [];
  const own = configs.filter(({ configSource }) => configSource === ConfigSources.TOPIC_CONFIG);
  return {
    values: new Map(configs.map(({ name, value }) => [name, value ?? ''])),
    own: new Set(own.map(({ name }) => name)),
  };
}

function rightsOf(bits: number): Rights {
  if (bits === RIGHTS_UNKNOWN) return undefined;
  return new Set(OPERATIONS.filter((_, index) => (bits >> (index + FIRST_OPERATION)) & 1));
}
