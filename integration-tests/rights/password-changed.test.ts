import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../local-cluster/role-process.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { steadyLoad, type SteadyLoad } from '../support/load.js';
import { LoginBroker } from '../support/login-broker.js';
import { NO_LOGIN_BROKER as skip } from '../support/rights-cluster.js';
import type { RawClient } from '../support/raw-client.js';

/** kafkajs reauthenticates ten seconds before a session expires. */
const SESSION_MS = 15_000;
const USER = 'node';
const REFUSED = /the broker refused the login: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD/;
const LIMIT_MS = 60_000;

let broker: LoginBroker | undefined;
let harness: Harness;
let rawClient: RawClient;
let running: SteadyLoad | undefined;

before(async () => {
  if (skip) return;
  const started = (broker = await LoginBroker.start({
    'listener.name.login.scram-sha-256.connections.max.reauth.ms': String(SESSION_MS),
    'super.users': `User:ANONYMOUS;User:${USER}`,
  }));
  await started.setPassword(USER, 'first');
  harness = await Harness.on(
    {
      kind: 'embedded',
      bootstrap: started.broker.bootstrap,
      stop: () => started.stop(),
      kill: () => started.broker.kill(),
      restart: () => started.broker.restart(),
    },
    ['scale'],
  );
  rawClient = await harness.rawClient();
});
after(async () => {
  await running?.stop(0).catch(() => undefined);
  await harness?.close();
});

const log: string[] = [];
function nodeWith(password: string): Promise<NodeProcess> {
  // On a busy host a model may be moved out of the event loop, which is logged, too.
  const config = { ...broker?.login(USER, password), logLevel: 'info' as const, inlineMicros: 0 };
  return harness.nodeProcess(config, (line) => void log.push(line));
}

/** Returns log lines at level warn or above. */
const problems = (): string[] => log.filter((line) => /"level":"(warn|error|fatal)"/.test(line));

test(
  'a node stops and names the option to check when its password was changed; the next one loses nothing',
  { skip },
  async () => {
    const first = await nodeWith('first');
    const load = (running = steadyLoad(rawClient, harness.topics.requests('scale'), 'scale', 1));
    await load.answeredAtLeast(100, LIMIT_MS);
    await sleep(2 * SESSION_MS);
    assert.deepEqual(problems(), [], 'session renewals are not logged');
    await load.answeredAtLeast(rawClient.replies.size + 100, LIMIT_MS);

    await broker?.setPassword(USER, 'second');
    const exit = await Promise.race([first.exited, sleep(LIMIT_MS)]);
    assert.equal(exit?.code, 1, log.slice(-20).join('\n'));
    assert.match(exit?.reason ?? '', REFUSED);
    const fatal = log.filter((line) => line.includes('"level":"fatal"'));
    assert.equal(fatal.length, 1, problems().join('\n'));
    assert.match(fatal[0] ?? '', REFUSED);
    await assert.rejects(nodeWith('first'), REFUSED);

    await nodeWith('second');
    const asked = await load.stop(LIMIT_MS);
    for (const { correlation, values } of asked)
      for (const reply of rawClient.repliesTo(correlation))
        assert.deepEqual(
          load.valuesIn(reply),
          values.map((value) => Math.fround(value * 2)),
        );
    await eventually('all offsets are committed', async () => (await harness.uncommitted('scale')) === 0);
    assert.deepEqual(await harness.deadLetters('scale'), []);
  },
);
