import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { aclsFor, type Acl } from '../../cluster/acls.js';
import { checkConfig, toEnvironment } from '../../core/config/config.js';
import { CommandLine } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { CHOSEN_CLIENT } from '../support/kafka-client.js';
import { NAMES, NO_LOGIN_BROKER, RightsCluster } from '../support/rights-cluster.js';

const LETTERS = NAMES.deadLetters('scale');
let cluster: RightsCluster;
before(async () => {
  if (!NO_LOGIN_BROKER) cluster = await RightsCluster.start();
});
after(() => cluster?.close());

/** Commands of a role: all succeed with its rights, and at least one fails without any one of them. */
const READ_COMMANDS = [
  ['nodes'],
  ['models'],
  ['topics'],
  ['bind', 'list'],
  ['dlq', 'list'],
  ['doctor', '--json'],
];
const COMMANDS: Readonly<Record<string, readonly string[][]>> = {
  'read-only': READ_COMMANDS,
  operator: [
    ...READ_COMMANDS,
    ['dlq', 'replay', LETTERS, '--reason', 'MODEL_FAILED'],
    ['dlq', 'drop', LETTERS, '--everything'],
    ['bind', 'remove', 'none'],
  ],
};

for (const [role, user] of [
  ['read-only', 'reader'],
  ['operator', 'operator'],
] as const)
  test(
    `${role}: the commands work with exactly the rights of the role`,
    { skip: NO_LOGIN_BROKER },
    async () => {
      await cluster.broker.allow('node', aclsFor('node', cluster.scope));
      const { node, logText } = await cluster.runNode();
      assert.ok(node, logText());
      const lines = new CommandLine(
        toEnvironment(checkConfig({ ...CHOSEN_CLIENT, ...cluster.broker.login(user) })),
      );
      const rights: readonly Acl[] = aclsFor(role, cluster.scope);
      const attempt = async (): Promise<string[]> => {
        const failed: string[] = [];
        await eventually('a dead letter', cluster.allHaveOutcomes(await cluster.sendOfEachKind()));
        for (const command of COMMANDS[role] ?? []) {
          const { code, stdout, stderr } = await lines.run(command);
          if (/not.?authori[sz]ed|AUTHORIZATION|may not be|not available/i.test(stdout + stderr))
            failed.push(stdout + stderr);
          else if (code !== 0 && !/problems found|none is applied/.test(stderr)) failed.push(stderr);
        }
        return failed;
      };
      await cluster.broker.allow(user, rights);
      assert.deepEqual(await attempt(), []);
      for (const missing of rights) {
        await cluster.broker.allow(
          user,
          rights.filter((acl) => acl !== missing),
        );
        assert.notDeepEqual(await attempt(), [], `nothing is printed about ${JSON.stringify(missing)}`);
      }
      await lines.killAll();
      await node.close();
    },
  );
