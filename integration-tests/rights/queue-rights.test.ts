import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aclsFor } from '../../cluster/acls.js';
import { eventually } from '../support/eventually.js';
import { NO_LOGIN_BROKER, RightsCluster } from '../support/rights-cluster.js';

const QUEUE = { delivery: 'queue', kafkaClient: 'native' };
let cluster: RightsCluster;
before(async () => {
  if (!NO_LOGIN_BROKER) cluster = await RightsCluster.start();
});
after(() => cluster?.close());

test(
  'a node of a queue with exactly its rights does all its work; without the right to configure its group it says so',
  { skip: NO_LOGIN_BROKER },
  async () => {
    const rights = aclsFor('node-with-bindings', { ...cluster.scope, groupless: true, sharesGroups: true });
    await cluster.broker.allow(
      'node',
      rights.filter(({ operation }) => operation !== 'ALTER_CONFIGS'),
    );
    const refused = await cluster.runNode(QUEUE);
    assert.equal(refused.node, undefined);
    assert.match(refused.logText(), /needs ALTER_CONFIGS on group partitura\.scale/);
    await cluster.broker.allow('node', rights);
    const sent = await cluster.sendOfEachKind();
    const { node, logText } = await cluster.runNode(QUEUE);
    assert.ok(node, logText());
    await eventually('every record has its outcome', cluster.allHaveOutcomes(sent));
    assert.ok(node.status().models.every(({ delivery }) => delivery === 'queue'));
    await node.close();
  },
);
