import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { xmlToJson } from '../../gateway/xml/xml-to-json.js';
import { callInBoundedMemory } from '../support/bounded-memory.js';
import { Harness } from '../support/harness.js';
import { modelsServed } from '../support/models-served.js';
import { call, type JsonResponse } from '../support/http.js';
import { mutate, seededRandom } from '../support/mutate.js';

const SEED = Number(process.env['PARTITURA_TEST_SEED'] ?? 20_261_127);
/** `npm run test:long -- fuzz` sends 200,000. */
const MUTATED = Number(process.env['PARTITURA_TEST_HTTP_FUZZ'] ?? 2_000);
/** Every eighth request also has a hostile header. */
const HEADER_EVERY = 8;
const COMMAND_EVERY = 100;

interface Resource {
  readonly path: string;
  readonly body: Buffer;
  readonly method?: 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
const TENSOR = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1.5, 2] };
const INFER = json({ id: 'f', inputs: [TENSOR], outputs: [{ name: 'y' }], parameters: { a: 'b' } });
const HEAD = json({ inputs: [{ ...TENSOR, data: undefined, parameters: { binary_data_size: 8 } }] });
const XML = Buffer.from(
  '<object xmlns="urn:partitura:xml:1"><numbers name="instances" shape="2 2">1 2 3 4</numbers></object>',
);

/** A good request to each resource that reads a body, to be mutated. */
const RESOURCES: readonly Resource[] = [
  { path: '/v2/models/coder/infer', body: INFER },
  { path: '/v2/models/coder/versions/1/infer', body: INFER },
  { path: '/v2/models/coder/infer', body: INFER, headers: { prefer: 'respond-async', 'x-stream': 'fuzz' } },
  {
    path: '/v2/models/coder/infer',
    body: Buffer.concat([HEAD, Buffer.alloc(8)]),
    headers: { 'inference-header-content-length': String(HEAD.length) },
  },
  {
    path: '/v2/models/coder/infer',
    body: Buffer.alloc(8),
    headers: { 'inference-header-content-length': '0' },
  },
  { path: '/v2/models/coder/bulk', body: Buffer.from('[1,2]\n[3,4]\n{"x":[5,6]}\n') },
  {
    path: '/v2/models/coder/bulk',
    body: Buffer.from('a,b\n1,2\n3,4\n'),
    headers: { 'content-type': 'text/csv' },
  },
  { path: '/v2/repository/index', body: json({ ready: true }) },
  {
    path: '/v1/models/coder:predict',
    body: json({ signature_name: 'serving_default', instances: [[1, 2]] }),
  },
  { path: '/v1/models/coder:predict', body: json({ inputs: { x: [[1, 2]] } }) },
  { path: '/v1/models/coder:predict', body: XML, headers: { 'content-type': 'application/xml' } },
  { path: '/v1/models/estimator:classify', body: json({ examples: [{ x: 1.5 }, { x: [2] }] }) },
  {
    path: '/v1/models/estimator:regress',
    body: json({ context: { x: 1 }, examples: [{ x: { b64: 'AA==' } }] }),
  },
  {
    path: '/ml/v4/deployments/coder/predictions',
    body: json({ input_data: [{ fields: ['a', 'b'], values: [[1, 2]] }] }),
  },
];

/** Resources that wait for the nodes, and so are asked less often. */
const COMMANDS: readonly Resource[] = [
  { path: '/v2/repository/models/sum/load', body: json({ parameters: {} }) },
  { path: '/api/models/sum/labels', body: json({ stable: '1' }), method: 'PUT' },
  { path: '/api/models/sum/version-policy', body: json({ versionPolicy: 'all' }), method: 'PUT' },
];

const HOSTILE_HEADERS: readonly (readonly [string, string])[] = [
  ['inference-header-content-length', '18446744073709551616'],
  ['inference-header-content-length', '-1'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'zip'],
  ['content-type', 'application/xml'],
  ['content-type', 'multipart/form-data'],
  ['accept', 'application/xml'],
  ['timeout', 'soon'],
  ['grpc-timeout', '99999999999H'],
  ['x-stream', 'ä'.repeat(500)],
  ['traceparent', '00-0-0-0'],
];

let harness: Harness;
let url: string;
before(async () => {
  harness = await Harness.start(['coder', 'estimator', 'sum']);
  await harness.node();
  ({ url } = await harness.gateway());
  await modelsServed(url, 3);
});
after(() => harness.close());

test(`each of ${MUTATED} mutated bodies (seed ${SEED}) is answered, in bounded memory`, async () => {
  const random = seededRandom(SEED);
  const statuses = await callInBoundedMemory(MUTATED, async (number) => {
    const resources = number % COMMAND_EVERY === 0 ? COMMANDS : RESOURCES;
    const resource = resources[random(resources.length)];
    assert.ok(resource);
    return sendMutated(resource, random);
  });
  assert.ok((statuses.get(200) ?? 0) > 0 && (statuses.get(400) ?? 0) > MUTATED / 4, counted(statuses));

  const { status, text } = await call(`${url}/v2/models/coder/infer`, INFER);
  assert.equal(status, 200, text);
  assert.match(text, /"data":\[3,4\]/);
});

test('a timeout with a fraction of a millisecond is honored', async () => {
  const headers = { 'x-request-timeout-ms': '9999.5' };
  const { status, text } = await call(`${url}/v2/models/coder/infer`, INFER, { headers });
  assert.equal(status, 200, text);
});

test('commands to one model at the same time are all answered', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => call(`${url}/v2/repository/models/sum/load`, '')),
  );
  assert.deepEqual([...new Set(answers.map(({ status, text }) => `${status} ${text}`))], ['200 {}']);
});

async function sendMutated(resource: Resource, random: (below: number) => number): Promise<number> {
  const { path, method = 'POST' } = resource;
  const body = mutate(resource.body, random);
  const extra = random(HEADER_EVERY) === 0 ? HOSTILE_HEADERS[random(HOSTILE_HEADERS.length)] : undefined;
  const headers = { ...resource.headers, ...(extra && { [extra[0]]: extra[1] }) };
  const answer = await call(`${url}${path}`, body, { method, headers });
  const what = `${method} ${path} ${JSON.stringify(headers)} ${body.toString('base64')}: ${answer.status} ${answer.text}`;
  assert.ok(answer.status < 500, what);
  if (answer.status >= 400) assert.ok((await sentenceOf(answer)).length > 0, what);
  return answer.status;
}

/** Returns the message of an error in the form of any dialect, in JSON or XML; empty if there is none. */
async function sentenceOf({ headers, text, body }: JsonResponse): Promise<string> {
  const isXml = headers.get('content-type')?.startsWith('application/xml') === true;
  const value = isXml ? (JSON.parse(String(await xmlToJson(Buffer.from(text)))) as unknown) : body;
  const { error, errors, nodes } = value as {
    error?: string;
    errors?: { message: string }[];
    nodes?: unknown[];
  };
  return error ?? errors?.[0]?.message ?? (nodes ? 'the outcome of a directive' : '');
}

function counted(statuses: ReadonlyMap<number, number>): string {
  return [...statuses].map(([status, count]) => `${count} times ${status}`).join(', ');
}
