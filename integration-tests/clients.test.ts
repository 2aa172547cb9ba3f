import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { Harness } from './support/harness.js';
import { ROOT, missing, run, type Ended } from './support/programs.js';

const CLIENTS = join(ROOT, 'examples/clients');
/** Everything that comes from a package index, the first time. */
const INSTALL_LIMIT_MS = 120_000;

let harness: Harness;
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partitura-clients-'));
  harness = await Harness.start(['digits']);
  await harness.node();
});
after(async () => {
  await harness.close();
  await rm(folder, { recursive: true });
});

/** Programs have their packages in a folder of their own, away from ours. */
async function copied(client: string): Promise<string> {
  const project = join(folder, client);
  await cp(join(CLIENTS, client), project, { recursive: true });
  return project;
}

const withBrokers = (): { KAFKA_BROKERS: string } => ({ KAFKA_BROKERS: harness.broker.bootstrap });

/** The request is a zero. */
function assertZero({ code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout.match(/^\d [01]\.\d{4}$/gm) ?? [];
  assert.deepEqual(
    lines.map((line) => line[0]),
    [...'0123456789'],
    stdout,
  );
  const [zero = 0, ...others] = lines.map((line) => Number(line.slice(2)));
  assert.ok(zero > 0.99 && others.every((other) => other < 0.01), stdout);
}

test('what the page of the clients says to type is what is tried here', async () => {
  const page = await readFile(join(CLIENTS, 'README.md'), 'utf8');
  for (const command of [
    'node examples/clients/node/predict.mjs',
    'python3 -m venv .venv && .venv/bin/pip install -q -r examples/clients/python/requirements.txt',
    '.venv/bin/python examples/clients/python/predict.py',
    'mvn -q -f examples/clients/java compile exec:java',
    'mvn -q -f examples/clients/spring compile exec:java',
    'npm install --prefix examples/clients/nest --no-audit --no-fund --silent',
    'node examples/clients/nest/predict.mjs',
    'examples/clients/kcat/predict.sh',
  ]) {
    assert.ok(page.includes(`    $ ${command}\n`), command);
  }
});

test('Node, with the client library', async () => {
  assertZero(await run('node', ['examples/clients/node/predict.mjs'], { env: withBrokers() }));
});

test('kcat, with a JSON request', { skip: await missing(['kcat', '-V']) }, async () => {
  assertZero(await run('examples/clients/kcat/predict.sh', [], { env: withBrokers() }));
});

const noPython = await missing(['python3', '-m', 'venv', '--help'], ['python3', '-m', 'pip', '--version']);
test('Python, with confluent-kafka and fastavro', { skip: noPython }, async (t) => {
  const python = join(folder, 'venv/bin/python');
  const made = await run('python3', ['-m', 'venv', join(folder, 'venv')]);
  if (made.code !== 0) return t.skip(`python3 -m venv fails here: ${made.stdout}${made.stderr}`);
  const requirements = [
    '-q',
    '--disable-pip-version-check',
    '-r',
    'examples/clients/python/requirements.txt',
  ];
  const installed = await run(python, ['-m', 'pip', 'install', ...requirements], {
    limitMs: INSTALL_LIMIT_MS,
  });
  if (installed.code !== 0) return t.skip(`pip can't install the packages here: ${installed.stderr}`);
  assertZero(await run(python, ['examples/clients/python/predict.py'], { env: withBrokers() }));
});

const noJava = await missing(['java', '-version'], ['mvn', '-v']);

/** Undefined, and the test skipped with the reason, where Maven has no way to the packages. */
async function runMaven(client: string, t: TestContext, ...args: string[]): Promise<Ended | undefined> {
  const project = await copied(client);
  const goals = ['-q', '-f', project, 'compile', 'exec:java', `-Dexec.args=${args.join(' ')}`];
  const ended = await run('mvn', goals, { env: withBrokers(), limitMs: INSTALL_LIMIT_MS });
  if (!/Could not transfer|Could not resolve|Cannot access/.test(ended.stdout)) return ended;
  t.skip(`Maven can't get the packages here: ${ended.stdout}`);
  return undefined;
}

test('Java, with kafka-clients and Avro', { skip: noJava }, async (t) => {
  const ended = await runMaven('java', t);
  if (ended) assertZero(ended);
});

test("Spring's ReplyingKafkaTemplate, and what it tells of an error", { skip: noJava }, async (t) => {
  const ended = await runMaven('spring', t);
  if (!ended) return;
  assertZero(ended);
  const refused = await runMaven('spring', t, await tooShort());
  assert.match(refused?.stdout ?? '', /SHAPE_MISMATCH: .*expected shape \[-1,64\], got \[1,63\]/);
});

test("NestJS's ClientKafka, and what it tells of an error", async (t) => {
  const project = await copied('nest');
  const npm = ['install', '--prefix', project, '--no-audit', '--no-fund', '--silent'];
  const installed = await run('npm', npm, { limitMs: INSTALL_LIMIT_MS });
  if (installed.code !== 0) return t.skip(`npm can't get the packages here: ${installed.stderr}`);
  const replies = { topic: 'partitura.digits.requests.reply', partitions: 2, replicationFactor: 1 };
  await harness.withAdmin((admin) => admin.createTopics([replies]));
  const program = join(project, 'predict.mjs');
  assertZero(await run('node', [program], { env: withBrokers() }));
  const refused = await run('node', [program, await tooShort()], { env: withBrokers() });
  assert.match(refused.stderr, /SHAPE_MISMATCH: .*expected shape \[-1,64\], got \[1,63\]/);
});

/** A request with a pixel too few, as a file. */
async function tooShort(): Promise<string> {
  const file = join(folder, 'too-short.json');
  const data = Array<number>(63).fill(0);
  await writeFile(
    file,
    JSON.stringify({ inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 63], data }] }),
  );
  return file;
}
