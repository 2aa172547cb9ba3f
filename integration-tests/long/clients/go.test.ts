import { after, before, test } from 'node:test';
import { ExampleClients, INSTALL_LIMIT_MS, assertZero } from '../../support/example-clients.js';
import { missing } from '../../support/programs.js';

let clients: ExampleClients;
before(async () => {
  clients = await ExampleClients.start();
});
after(() => clients.close());

test('Go, with franz-go and Avro', { skip: await missing(['go', 'version']) }, async (t) => {
  const project = 'examples/clients/go';
  const limitMs = INSTALL_LIMIT_MS;
  const fetched = await clients.run('go', ['mod', 'download', '-C', project], { limitMs });
  if (fetched.code !== 0) return t.skip(`go cannot fetch the modules: ${fetched.stderr}`);
  assertZero(await clients.run('go', ['run', '-C', project, '.'], { limitMs }));
});
