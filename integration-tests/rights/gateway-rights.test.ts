import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aclsFor, type Acl } from '../../cluster/acls.js';
import { checkConfig } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { startGateway, type Gateway } from '../../gateway/gateway.js';
import { createKafkaClient } from '../../kafka/client.js';
import { eventually } from '../support/eventually.js';
import { call } from '../support/http.js';
import { NAMES, NO_LOGIN_BROKER, RightsCluster } from '../support/rights-cluster.js';

const quiet = createLogger('rights', 'silent');
let cluster: RightsCluster;
before(async () => {
  if (!NO_LOGIN_BROKER) cluster = await RightsCluster.start();
});
after(() => cluster?.close());

async function runGateway(): Promise<Gateway> {
  const config = checkConfig({
    ...cluster.settings,
    ...cluster.broker.login('gateway'),
    gatewayPort: 0,
    grpcPort: 0,
  });
  return startGateway(config, createKafkaClient(config, 'gateway', quiet), quiet);
}

test('the rights of a gateway suffice for all that it does', { skip: NO_LOGIN_BROKER }, async () => {
  await cluster.broker.allow('node', aclsFor('node', cluster.scope));
  await cluster.broker.allow('gateway', aclsFor('gateway', cluster.scope));
  const { node, logText } = await cluster.runNode();
  assert.ok(node, logText());
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] };
  let gateway: Gateway | undefined;
  try {
    gateway = await runGateway();
    const { url } = gateway;
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
    assert.equal((await call(`${url}/v2/models/scale/infer`, body)).status, 200);
    const deferred = await call(`${url}/v2/models/scale/infer`, body, {
      headers: { prefer: 'respond-async' },
    });
    const location = deferred.headers.get('location') ?? '';
    await eventually(
      'the deferred reply is found',
      async () => (await call(`${url}${location}`)).status === 200,
    );
    assert.equal((await call(`${url}/api/models/sum/unload`, '')).status, 200);
  } finally {
    await gateway?.close();
    await node.close();
  }
});

test('a gateway without a right does not start, and names the topic', { skip: NO_LOGIN_BROKER }, async () => {
  const rights = aclsFor('gateway', cluster.scope);
  const needed = rights.filter(
    ({ name, operation }) => /nodes$|client-replies$/.test(name) && operation === 'READ',
  );
  assert.equal(needed.length, 2);
  for (const missing of needed) {
    await cluster.broker.allow(
      'gateway',
      rights.filter((acl) => acl !== missing),
    );
    await assert.rejects(runGateway(), /authoriz/i, missing.name);
  }
});

test(
  'a node that may not read the control topic serves, and says so',
  { skip: NO_LOGIN_BROKER },
  async () => {
    const needed = aclsFor('node', cluster.scope);
    const isControl = ({ name, operation }: Acl): boolean => name === NAMES.control && operation === 'READ';
    assert.ok(needed.some(isControl));
    await cluster.broker.allow(
      'node',
      needed.map((acl) => (isControl(acl) ? { ...acl, operation: 'DESCRIBE' as const } : acl)),
    );
    // Reading an empty topic needs no right.
    cluster.rawClient.send(NAMES.control, null, { key: 'anything', partition: 0 });
    await cluster.rawClient.sent();
    const { node, logText } = await cluster.runNode();
    assert.ok(node, logText());
    try {
      await eventually('the node says so', () =>
        /control topic cannot be read; load, unload/.test(logText()),
      );
      assert.match(logText(), /READ.*partitura\.control|partitura\.control.*READ/i);
      assert.deepEqual(node.models, ['scale', 'sum']);
    } finally {
      await node.close();
    }
  },
);
