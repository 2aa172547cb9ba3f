import {
  ConfigResourceTypes,
  describeConfigsV4,
  incrementalAlterConfigsV1,
  IncrementalAlterConfigOperationTypes,
} from '../../platformatic/index.js';
import { featuresRequest, type BrokerFeatures } from '../protocol/features.js';
import { SHARE_REQUESTS } from '../protocol/share-group.js';
import { KafkaError } from '../../port.js';
import { toKafkaError } from '../transport/errors.js';
import type { Cluster } from '../transport/cluster.js';

const ANSWER_LIMIT_MS = 5_000;

/**
 * Settings of a share group. They apply when its first member reads; new groups would otherwise start at the end and
 * see records of aborted transactions.
 */
const OFFSET_RESET = 'share.auto.offset.reset';
const GROUP_SETTINGS = { [OFFSET_RESET]: 'earliest', 'share.isolation.level': 'read_committed' };

/** Returns the reason why a broker has no usable share groups; undefined if it has. */
export function shareGroupProblem({ requests, features }: BrokerFeatures): string | undefined {
  const lacking = Object.entries(SHARE_REQUESTS).filter(
    ([, [key, version]]) => (requests.get(key) ?? -1) < version,
  );
  if (lacking.length > 0) return 'the brokers have no share groups: expected Kafka 4.2 or later';
  if ((features.get('share.version') ?? 0) < 1)
    return 'share groups are turned off: expected the feature share.version=1 (kafka-features.sh upgrade --feature share.version=1)';
  return undefined;
}

export async function checkShareGroups(cluster: Cluster): Promise<string | undefined> {
  return shareGroupProblem(await cluster.sendToAny(featuresRequest(), ANSWER_LIMIT_MS));
}

/**
 * Makes the group start at the earliest record, and read committed ones only.
 * @throws KafkaError `not-authorized` without the right to do so, unless somebody else has
 */
export async function configureShareGroup(cluster: Cluster, group: string): Promise<void> {
  const configs = Object.entries(GROUP_SETTINGS).map(([name, value]) => ({
    name,
    value,
    configOperation: IncrementalAlterConfigOperationTypes.SET,
  }));
  const resource = { resourceType: ConfigResourceTypes.GROUP, resourceName: group, configs };
  try {
    await cluster.anyBroker(incrementalAlterConfigsV1.api, [[resource], false]);
  } catch (cause) {
    const error = toKafkaError(cause);
    if (error.kind !== 'not-authorized') throw error;
    if (await isConfigured(cluster, group)) return;
    const message = `ALTER_CONFIGS is needed to make share group ${group} start at the earliest record`;
    throw new KafkaError('not-authorized', message, { cause });
  }
}

async function isConfigured(cluster: Cluster, group: string): Promise<boolean> {
  const configurationKeys = Object.keys(GROUP_SETTINGS);
  const resource = { resourceType: ConfigResourceTypes.GROUP, resourceName: group, configurationKeys };
  try {
    const { results } = await cluster.anyBroker(describeConfigsV4.api, [[resource], false, false]);
    const values = new Map(results[0]?.configs.map(({ name, value }) => [name, value]));
    return values.get(OFFSET_RESET) === GROUP_SETTINGS[OFFSET_RESET];
  } catch {
    return false;
  }
}
