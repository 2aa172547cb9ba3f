import { VERSION } from '../../../core/version.js';
import { checkVersions } from '../checks/brokers.js';
import { settle } from '../queries.js';
import type { Area } from './area.js';

/** Versions of the brokers, and of this program. */
export const versions: Area = {
  name: 'versions',
  needsCluster: true,
  async examine(facts) {
    const { inspector, config } = facts.context;
    const bootstrap = (await facts.bootstrap()).filter(({ error }) => !error);
    const addresses = (await facts.cluster()) ? await facts.reachableBrokers() : bootstrap;
    const software = await Promise.all(
      addresses.map(async ({ address }) => ({
        address,
        facts: await settle(() => inspector.describeSoftware(address)),
      })),
    );
    return checkVersions(software, config, { partitura: VERSION, node: process.versions.node });
  },
};
