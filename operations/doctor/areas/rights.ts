import { aclsFor, type Acl } from '../../../cluster/acls.js';
import { ABILITIES } from '../../../kafka/abilities.js';
import { checkRights } from '../checks/rights.js';
import type { Facts } from '../facts.js';
import type { Area } from './area.js';

/** Rights of this login, compared with those of a node. */
export const rights: Area = {
  name: 'rights',
  needsCluster: true,
  async examine(facts) {
    const user = facts.context.config.saslUsername;
    const cluster = await facts.cluster();
    const acls = await nodeAcls(facts);
    return checkRights(acls, user, { topics: await facts.topics(), groups: await facts.groups(), cluster });
  },
};

async function nodeAcls(facts: Facts): Promise<readonly Acl[]> {
  const { prefix, kafkaClient, delivery } = facts.context.config;
  const scope = {
    prefix,
    models: await facts.models(),
    bindings: await facts.bindings(),
    groupless: ABILITIES[kafkaClient].groupless,
    replyTopics: [],
    createsTopics: false,
    sharesGroups: delivery === 'queue',
  };
  return aclsFor('node-with-bindings', scope);
}
