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
  'a node with exactly its rights does all its work without warnings',
  { skip: NO_LOGIN_BROKER },
  async () => {
    await cluster.broker.allow('node', aclsFor('node-with-bindings', cluster.scope));
    const { node, logText } = await cluster.runNode();
    assert.ok(node, logText());
    const sent = await cluster.sendOfEachKind();
    await eventually('every record has its outcome', cluster.allHaveOutcomes(sent));
    await node.close();
    const complaints = logText()
      .split('\n')
      .filter((line) => line !== '' && !line.includes('dead letter'));
    assert.deepEqual(complaints, []);
  },
);

test(
  'a node that lacks a right logs which, serves what it is authorized to, and loses nothing',
  { skip: NO_LOGIN_BROKER },
  async () => {
    const rights = aclsFor('node-with-bindings', cluster.scope);
    for (const missing of rights.filter(({ name }) => !name.includes(OTHER))) {
      await cluster.broker.allow(
        'node',
        rights.filter((acl) => acl !== missing),
      );
      const sent = await cluster.sendOfEachKind();
      const run = await cluster.runNode();
      const right = `${missing.operation} on ${missing.resource} ${missing.name}`;
      await eventually(`the log names ${right}:\n${run.logText()}`, async () =>
        [run.logText(), await cluster.deadLetterReasons()].some((text) => text.includes(right)),
      );
      if (run.node && !run.logText().includes('fatal')) {
        const { partitions } = run.node.status();
        assert.ok(
          partitions.some(({ topic }) => topic === NAMES.requests(OTHER)),
          `${OTHER} is served without ${right}`,
        );
      }
      await run.node?.close();
      await cluster.broker.allow('node', rights);
      const { node, logText } = await cluster.runNode();
      assert.ok(node, logText());
      await eventually(`nothing was lost without ${right}`, cluster.allHaveOutcomes(sent));
      await node.close();
    }
  },
);

test(
  'a model whose topics cannot be created does not prevent others from being served',
  { skip: NO_LOGIN_BROKER },
  async () => {
    await cluster.broker.allow('node', aclsFor('node', { ...cluster.scope, models: [OTHER] }));
    const { node, logText } = await cluster.runNode();
    assert.ok(node, logText());
    assert.ok(node.status().partitions.every(({ topic }) => topic === NAMES.requests(OTHER)));
    assert.match(logText(), /model cannot be served/);
    await node.close();
  },
);

test('the rights of a client suffice, and a missing one is named', { skip: NO_LOGIN_BROKER }, async (t) => {
  await cluster.broker.allow('node', aclsFor('node', cluster.scope));
  const { node, logText } = await cluster.runNode();
  assert.ok(node, logText());
  t.after(() => node.close());
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
    // Without it, abandoned requests end by their deadlines.
    if (missing.name === NAMES.cancellations) {
      await ask();
      continue;
    }
    const resource = missing.isPrefix ? 'its group' : `${missing.resource} ${missing.name}`;
    await assert.rejects(
      ask(),
      new RegExp(`needs ${missing.operation} on (${resource}|a request topic)`),
      JSON.stringify(missing),
    );
  }
});
