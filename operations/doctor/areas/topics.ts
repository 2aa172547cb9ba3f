import { checkTopic, type TopicCheckOptions } from '../checks/topics.js';
import type { Facts } from '../facts.js';
import { warning, type Finding } from '../finding.js';
import type { Area } from './area.js';

/** Topics that the cluster needs: existence, replicas and settings. */
export const topics: Area = {
  name: 'topics',
  needsCluster: true,
  async examine(facts) {
    const options = await optionsOf(facts);
    const findings = (await facts.topics()).flatMap((topic) => checkTopic(topic, options));
    const hasNoModels = (await facts.topicNames()) !== undefined && (await facts.models()).length === 0;
    return hasNoModels ? [...findings, noModels()] : findings;
  },
};

async function optionsOf(facts: Facts): Promise<TopicCheckOptions> {
  const { config, deadlineMs } = facts.context;
  const settings = await facts.brokerSettings();
  const ofBrokers = (name: string): [number, number][] =>
    [...settings].flatMap(([broker, values]) => {
      const value = values.get(name);
      return value === undefined ? [] : [[broker, Number(value)]];
    });
  const fetched = ofBrokers('replica.fetch.max.bytes').map(([, bytes]) => bytes);
  return {
    brokers: (await facts.cluster())?.brokers.length ?? 1,
    brokerMaxBytes: new Map(ofBrokers('message.max.bytes')),
    replicaFetchBytes: fetched.length > 0 ? Math.min(...fetched) : NaN,
    deadlineMs,
    maxRecordBytes: config.maxRecordBytes,
  };
}

function noModels(): Finding {
  return warning(
    'topics',
    'no request topic exists yet',
    'start a node, which creates the topics of its models',
  );
}
