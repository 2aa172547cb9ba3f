import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freePort } from '../../local-cluster/ports.js';
import { CommandLine } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { missing, run } from '../support/programs.js';

const cli = new CommandLine({});
const skip = (await missing(['java', '-version'], ['mvn', '-v'])) ?? false;
after(() => cli.killAll());

test('the wine example, from `partitura bind apply` to the last result', { skip }, async () => {
  const registryPort = String(await freePort());
  const up = await cli.up({}, [
    '--registry',
    '--registry-port',
    registryPort,
    '--models',
    'examples/wine/models',
  ]);
  const env = {
    KAFKA_BROKERS: up.ready.brokers.join(','),
    SCHEMA_REGISTRY_URL: up.ready.registry ?? '',
  };
  const produced = await run('node', ['examples/wine/produce.mjs'], { env });
  assert.equal(produced.stdout, 'wrote 178 measurements to wine.measurements\n', produced.stderr);
  const dry = await cli.run(['bind', 'apply', 'examples/wine/binding.yaml', '--dry-run'], env);
  assert.equal(
    dry.stdout,
    'wine: wine.measurements → wine → wine.cultivars: valid; not applied (--dry-run)\n',
    dry.stderr,
  );
  const applied = await cli.run(['bind', 'apply', 'examples/wine/binding.yaml'], env);
  assert.match(applied.stdout, /^wine is running on node-\w+, node-\w+\n$/, applied.stderr);
  const consumed = await run('node', ['examples/wine/consume.mjs'], { env });
  assert.match(consumed.stdout, /^178 of 178 wines classified correctly$/m, consumed.stderr);
  await eventually('bind list shows no lag', async () =>
    /^wine +wine\.measurements +wine +wine\.cultivars +2 +0\n$/m.test(
      (await cli.run(['bind', 'list'], env)).stdout,
    ),
  );
  assert.equal((await cli.run(['bind', 'remove', 'wine'], env)).stdout, 'wine removed\n');
  const again = await cli.run(['bind', 'remove', 'wine'], env);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /bind: expected the name of an applied binding \(none is applied\), got 'wine'/);
  assert.equal(await up.end('SIGTERM'), 0);
});
