import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { ROOT, run, type Ended } from '../support/programs.js';

const INSTALL_LIMIT_MS = 120_000;

const PROGRAM = `import { connect, PartituraError, type Prediction } from 'partitura';

const client = await connect({ brokers: process.argv[2] ?? '', prefix: process.argv[3] ?? '' });
const answer: Prediction = await client.predict('scale', { x: [[1, 2, 3, 4]] });
const values = answer.outputs['y']?.data;
await client.close();
if (!values) throw new PartituraError('INTERNAL', 'no output y');
console.log(JSON.stringify([...values]));
`;

let harness: Harness;
let project: string;
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'partitura-project-'));
  harness = await Harness.start(['scale']);
  await harness.node();
});
after(async () => {
  await harness.close();
  await rm(project, { recursive: true, force: true });
});

test('an empty project installs the packed library, compiles against its types and gets a prediction', async () => {
  await succeeds('npm', ['pack', '--ignore-scripts', '--pack-destination', project]);
  const [archive = ''] = (await readdir(project)).filter((name) => name.endsWith('.tgz'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'main.ts'), PROGRAM);
  const install = ['install', '--prefix', project, '--prefer-offline', '--no-audit', '--no-fund'];
  await succeeds('npm', [...install, join(project, archive), '@types/node@20']);
  const installed = await readdir(join(project, 'node_modules'));
  assert.deepEqual(
    installed.filter((name) => /tensorflow|onnxruntime/.test(name)),
    [],
  );
  const compile = ['--strict', '--module', 'nodenext', '--target', 'es2022', join(project, 'main.ts')];
  await succeeds(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...compile]);
  const { brokers, prefix } = harness.config();
  const { stdout } = await succeeds(process.execPath, [join(project, 'main.js'), brokers.join(), prefix]);
  assert.equal((JSON.parse(stdout) as unknown[]).length, 4);
});

async function succeeds(command: string, args: readonly string[]): Promise<Ended> {
  const ended = await run(command, args, { limitMs: INSTALL_LIMIT_MS });
  assert.equal(ended.code, 0, `${command} ${args.join(' ')}:\n${ended.stdout}${ended.stderr}`);
  return ended;
}
