import {
  checkAdvertised,
  checkAgreement,
  checkBootstrap,
  checkBrokerSettings,
  notChecked,
} from '../checks/brokers.js';
import type { Facts } from '../facts.js';
import type { Finding } from '../finding.js';
import type { Area } from './area.js';

/** Addresses and settings of the brokers. */
export const brokers: Area = {
  name: 'brokers',
  needsCluster: false,
  async examine(facts) {
    return [
      ...checkBootstrap(await facts.bootstrap(), facts.context.config),
      ...((await facts.cluster()) ? checkAdvertised(await facts.advertised()) : []),
      ...((await facts.isReachable()) ? await examineSettings(facts) : [notChecked()]),
    ];
  },
};

async function examineSettings(facts: Facts): Promise<Finding[]> {
  const settings = await facts.brokerSettings();
  const { config } = facts.context;
  return [
    ...[...settings].flatMap(([id, values]) => checkBrokerSettings(id, values, config)),
    ...checkAgreement(settings),
  ];
}
