import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { INSTALL_LIMIT_MS } from '../support/example-clients.js';
import { Harness } from '../support/harness.js';
import { modelsServed } from '../support/models-served.js';
import { call } from '../support/http.js';
import { missing, ROOT, run } from '../support/programs.js';

const noPython = await missing(['python3', '-m', 'venv', '--help'], ['python3', '-m', 'pip', '--version']);

const APPS = join(ROOT, 'examples/apps');
const WHITE = 16;
const JSON_BODY = { headers: { 'content-type': 'application/json' } };

describe('web applications of the examples', () => {
  let harness: Harness;
  let gateway: string;
  let folder: string;
  const apps: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-apps-'));
    harness = await Harness.start(['digits', 'wine']);
    await harness.node();
    ({ url: gateway } = await harness.gateway());
    await modelsServed(gateway, 2);
  });
  after(async () => {
    for (const app of apps) {
      app.kill();
      if (app.exitCode === null && app.signalCode === null) await once(app, 'exit');
    }
    await harness.close();
    await rm(folder, { recursive: true });
  });

  /** Starts an application on a free port and returns the address that it prints. */
  async function start(command: string, ...args: readonly string[]): Promise<string> {
    const env = { ...process.env, PARTITURA_GATEWAY: gateway };
    const app = spawn(command, [...args, '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    apps.push(app);
    let output = '';
    for (const stream of [app.stdout, app.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const address = (): string | undefined => /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    await eventually(`${command} serves`, () => {
      assert.equal(app.exitCode, null, output);
      return address() !== undefined;
    });
    return address() ?? '';
  }

  async function install(): Promise<string | undefined> {
    const made = await run('python3', ['-m', 'venv', join(folder, 'venv')]);
    if (made.code !== 0) return `python3 -m venv failed: ${made.stdout}${made.stderr}`;
    const requirements = join(APPS, 'digits-flask/requirements.txt');
    const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', '-r', requirements];
    const installed = await run(join(folder, 'venv/bin/python'), pip, { limitMs: INSTALL_LIMIT_MS });
    return installed.code === 0 ? undefined : `pip cannot install the packages: ${installed.stderr}`;
  }

  test('Flask: a drawn and an uploaded digit', { skip: noPython ?? false }, async (t) => {
    const reason = await install();
    if (reason) return t.skip(reason);
    const url = await start(join(folder, 'venv/bin/python'), join(APPS, 'digits-flask/app.py'));
    assert.match((await call(url)).text, /<canvas/);
    const file = await readFile(join(ROOT, 'examples/digits/request.json'), 'utf8');
    const request = JSON.parse(file) as { inputs: { data: number[] }[] };
    const pixels = request.inputs[0]?.data ?? [];
    const drawn = await call(`${url}/digit`, { pixels }, JSON_BODY);
    const { digit, probability } = drawn.body as { digit: number; probability: number };
    assert.equal(digit, 0, drawn.text);
    assert.ok(probability > 0.99);

    const form = new FormData();
    const levels = pixels.map((pixel) => WHITE - pixel).join(' ');
    form.set('image', new Blob([`P2\n8 8\n${WHITE}\n${levels}\n`]), 'zero.pgm');
    const uploaded = await call(`${url}/digit`, undefined, { method: 'POST', body: form });
    assert.equal(uploaded.text, drawn.text);

    const wrong = await call(`${url}/digit`, { pixels: [1, 2] }, JSON_BODY);
    assert.equal(wrong.status, 400);
    assert.deepEqual(wrong.body, { error: "input 'pixels': expected shape [-1,64], got [1,2]" });
    for (const body of [[], 7, {}]) assert.equal((await call(`${url}/digit`, body, JSON_BODY)).status, 400);
  });

  test('Node.js: a form of measurements, and JSON', async () => {
    const url = await start(process.execPath, join(APPS, 'wine-node/app.mjs'));
    const page = (await call(url)).text;
    const values = [...page.matchAll(/name="(\w+)" [^>]*value="([\d.]+)"/g)].map(
      ([, name = '', value = '']): [string, string] => [name, value],
    );
    assert.equal(values.length, 13);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answered = await call(`${url}/wine`, new URLSearchParams(values).toString(), {
      headers,
    });
    assert.match(answered.text, /<p>The first \((100|9\d)\.\d %\)<\/p>/);
    const wine = Object.fromEntries(values.map(([name, value]) => [name, Number(value)]));
    const { body } = await call(`${url}/wine`, wine, JSON_BODY);
    assert.equal((body as { cultivar: string }).cultivar, 'first');
    const wrong = await call(`${url}/wine`, { ...wine, hue: 'red' }, JSON_BODY);
    assert.deepEqual([wrong.status, wrong.text], [400, '{"error":"hue: expected a number, got \\"red\\""}']);
  });
});
