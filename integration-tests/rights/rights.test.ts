import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aclsFor } from '../../cluster/acls.js';
import { createLogger } from '../../core/log.js';
import { connect } from '../../producers/index.js';
import { eventually } from '../support/eventually.js';
import { NAMES, NO_LOGIN_BROKER, OTHER, RightsCluster } from '../support/rights-cluster.js';

const quiet = createLogger('rights', 'silent');
let cluster: RightsCluster;
before(async () => {
  if (!NO_LOGIN_BROKER) cluster = await RightsCluster.start();
});
after(() => cluster?.close());

test(
  'a node with exactly its rights does all its work and complains of nothing',
  { skip: NO_LOGIN_BROKER },
  async () => {
    await cluster.broker.allow('node', aclsFor('node-with-bindings', cluster.scope));
    const { node, said } = await cluster.runNode();
    assert.ok(node, said());
    const sent = await cluster.sendOfEachKind();
    await eventually('every record has its outcome', cluster.allHaveOutcomes(sent));
    await node.close();
    const complaints = said()
      .split('\n')
      .filter((line) => line !== '' && !line.includes('dead letter'));
    assert.deepEqual(complaints, []);
  },
);

test(
  'a node that lacks any one right says which, serves what it can, and loses nothing',
  { skip: NO_LOGIN_BROKER },
  async () => {
    const rights = aclsFor('node-with-bindings', cluster.scope);
    for (const missing of rights.filter(({ name }) => !name.includes(OTHER))) {
      await cluster.broker.allow(
        'node',
        rights.filter((acl) => acl !== missing),
      );
      const sent = await cluster.sendOfEachKind();
      const heard = await cluster.runNode();
      const right = `${missing.operation} on ${missing.resource} ${missing.name}`;
      await eventually(`it names ${right}:\n${heard.said()}`, async () =>
        [heard.said(), await cluster.deadLetterReasons()].some((text) => text.includes(right)),
      );
      if (heard.node && !heard.said().includes('fatal')) {
        const { partitions } = heard.node.status();
        assert.ok(
          partitions.some(({ topic }) => topic === NAMES.requests(OTHER)),
          `${OTHER} is served without ${right}`,
        );
      }
      await heard.node?.close();
      await cluster.broker.allow('node', rights);
      const { node, said } = await cluster.runNode();
      assert.ok(node, said());
      await eventually(`nothing was lost without ${right}`, cluster.allHaveOutcomes(sent));
      await node.close();
    }
  },
);

test(
  'a model whose topics may not be created does not keep the others from being served',
  { skip: NO_LOGIN_BROKER },
  async () => {
    await cluster.broker.allow('node', aclsFor('node', { ...cluster.scope, models: [OTHER] }));
    const { node, said } = await cluster.runNode();
    assert.ok(node, said());
    assert.ok(node.status().partitions.every(({ topic }) => topic === NAMES.requests(OTHER)));
    assert.match(said(), /model cannot be served/);
    await node.close();
  },
);

test('a client has what it needs, and names what it lacks', { skip: NO_LOGIN_BROKER }, async () => {
  await cluster.broker.allow('node', aclsFor('node', cluster.scope));
  const { node, said } = await cluster.runNode();
  assert.ok(node, said());
  const rights = aclsFor('client', { ...cluster.scope, models: ['scale'] });
  const options = { ...cluster.settings, ...cluster.broker.login('client'), timeoutMs: 20_000 };
  const ask = async (): Promise<void> => {
    const client = await connect(options, quiet);
    try {
      await client.predict('scale', { x: [[1, 2, 3, 4]] });
    } finally {
      await client.close();
    }
  };
  await cluster.broker.allow('client', rights);
  await ask();
  for (const missing of rights) {
    await cluster.broker.allow(
      'client',
      rights.filter((acl) => acl !== missing),
    );
    const resource = missing.isPrefix ? 'its group' : `${missing.resource} ${missing.name}`;
    await assert.rejects(
      ask(),
      new RegExp(`needs ${missing.operation} on (${resource}|a request topic)`),
      JSON.stringify(missing),
    );
  }
  await node.close();
});
