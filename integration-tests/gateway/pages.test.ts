import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { InferenceNode } from '../../consumers/node/node.js';
import type { KafkaProducer } from '../../kafka/port.js';
import { accessibilityProblems, noBrowser, startBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';
import { missing, run } from '../support/programs.js';

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

/** Points of a one, drawn from its flag to its foot, as shares of the drawing area. */
const ONE = [
  [0.42, 0.3],
  [0.52, 0.18],
  [0.52, 0.4],
  [0.52, 0.6],
  [0.52, 0.85],
] as const;

describe('the pages of a gateway', { skip: noBrowser ?? false }, () => {
  let harness: Harness;
  let url: string;
  let browser: Browser;
  let node: InferenceNode;
  let producer: KafkaProducer;
  before(async () => {
    harness = await Harness.start(['digits', 'scale', 'wine', 'coder']);
    node = await harness.node({ nodeId: 'node-one' });
    ({ url } = await harness.gateway());
    producer = harness.kafka.producer();
    await producer.connect();
    browser = await startBrowser();
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(async () => {
    await browser?.close();
    await producer?.close();
    await harness?.close();
  });

  const open = async (path: string, { dark = false } = {}): Promise<Page> => {
    const page = await browser.newPage({
      colorScheme: dark ? 'dark' : 'light',
      viewport: DESKTOP,
    });
    page.setDefaultTimeout(15_000);
    await page.goto(url + path);
    return page;
  };
  const close = (page: Page): Promise<void> => page.close();
  const sendText = (model: 'digits' | 'scale', values: readonly string[]): Promise<void> =>
    producer.send(
      values.map((value) => ({
        topic: harness.topics.requests(model),
        key: null,
        value: Buffer.from(value),
        headers: {},
      })),
    );

  test('a drawn digit is predicted while it is drawn', async () => {
    const page = await open('/');
    const pad = page.getByRole('application');
    const box = await pad.boundingBox();
    assert.ok(box);
    await page.getByRole('button', { name: 'Clear' }).click();
    for (const [index, [x, y]] of ONE.entries()) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 5 });
      if (index === 0) await page.mouse.down();
    }
    await page.mouse.up();
    await page.locator('.verdict strong', { hasText: '1' }).waitFor();
    assert.match(await page.locator('.bars .best').innerText(), /^1\s+\d+\.\d %$/);
    assert.match(await page.locator('.digits .facts').innerText(), /node-one/);
    await close(page);
  });

  test('the keyboard draws, too', async () => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('application').focus();
    await page.keyboard.press(' ');
    for (let step = 0; step < 12; step++) await page.keyboard.press('ArrowDown');
    await page.locator('.verdict strong', { hasText: '1' }).waitFor();
    await close(page);
  });

  test('keys faster than the page renders are all drawn', async () => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.evaluate(`for (const key of [' ', ...Array(12).fill('ArrowDown')])
      document.querySelector('.pad').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))`);
    await page.locator('.verdict strong', { hasText: '1' }).waitFor();
    await close(page);
  });

  test('a form made from the signature sends an example, and says what is wrong with other input', async () => {
    const page = await open('/?model=wine');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.result .output').first().waitFor();
    await page.locator('textarea').first().fill('[[1, 2]]');
    await page.getByRole('button', { name: 'Send' }).click();
    assert.match(
      await page.locator('section .problem').first().innerText(),
      /expected shape \[-1,\d+\], got \[1,2\]/,
    );
    await close(page);
  });

  test('images and JSON files become input', async () => {
    const page = await open('/?model=digits');
    await page.locator('.verdict strong', { hasText: '3' }).waitFor();
    const image = await page.screenshot({ clip: { x: 0, y: 0, width: 100, height: 100 } });
    const file = page.locator('input[type=file]');
    await file.setInputFiles({ name: 'page.png', mimeType: 'image/png', buffer: image });
    const text = page.locator('textarea');
    await eventually('the image is there', async () => !(await text.inputValue()).includes('9, 16, 13'));
    assert.equal((await text.inputValue()).split(',').length, 64);
    const values = Array<number>(64).fill(7);
    const request = { inputs: [{ name: 'pixels', shape: [1, 64], datatype: 'FP32', data: values }] };
    const buffer = Buffer.from(JSON.stringify(request));
    await file.setInputFiles({ name: 'request.json', mimeType: 'application/json', buffer });
    await eventually('the file is there', async () => (await text.inputValue()).includes('7, 7, 7, 7'));
    await close(page);
  });

  test('every program that the page shows runs and gives the same answer', async (t) => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Example 8' }).click();
    await page.locator('.verdict strong', { hasText: '8' }).waitFor();
    const folder = await mkdtemp(join(tmpdir(), 'partitura-snippets-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const data = (JSON.parse(await page.locator('textarea').inputValue()) as number[][])[0];
    const inputs = [{ name: 'pixels', datatype: 'FP32', shape: [1, 64], data }];
    const { body } = await call(`${url}/v2/models/digits/infer`, { inputs });
    const expected = (body as { outputs: { data: number[] }[] }).outputs[0]?.data ?? [];
    for (const [language, file, command, version] of [
      ['curl', 'run.sh', 'sh', ['curl', '-V']],
      ['Python', 'predict.py', 'python3', ['python3', '-V']],
      ['JavaScript', 'predict.mjs', process.execPath, [process.execPath, '-v']],
      ['Java', 'Predict.java', 'java', ['java', '-version']],
      ['kcat', 'run.sh', 'sh', ['kcat', '-V']],
    ] as const) {
      const reason = await missing(version);
      if (reason !== undefined) {
        t.diagnostic(`${language} not tried: ${reason}`);
        continue;
      }
      await page.getByRole('tab', { name: language, exact: true }).click();
      const path = join(folder, file);
      await writeFile(path, await page.locator('#snippet code').innerText());
      const { stdout, stderr } = await run(command, [path], { limitMs: 60_000 });
      assert.deepEqual(probabilitiesIn(stdout), rounded(expected), `${language}: ${stdout}${stderr}`);
    }
    await close(page);
  });

  test('the console shows nodes, models, topics and bindings, each with an address and a JSON twin', async () => {
    const page = await open('/console');
    await page.getByRole('link', { name: 'node-one' }).waitFor();
    for (const [view, content] of [
      ['Nodes', 'node-one'],
      ['Models', 'wine'],
      ['Topics', 'partitura.digits.requests'],
    ] as const) {
      await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view }).click();
      await page.getByRole('rowheader', { name: content, exact: true }).waitFor();
      assert.equal(new URL(page.url()).pathname, `/console/${view.toLowerCase()}`);
      const twin = (await page.getByRole('link', { name: 'JSON' }).getAttribute('href')) ?? '';
      const { status, text } = await call(url + twin);
      assert.equal(status, 200);
      assert.ok(text.includes(content), `${twin}: ${text}`);
    }
    await page.goto(`${url}/console/models/digits`);
    await page.getByText('rows are independent').waitFor();
    assert.equal((await call(`${url}/console/api/models/nothing`)).status, 404);
    assert.equal((await call(`${url}/console/api/nothing`)).status, 404);
    await close(page);
  });

  test('a request has a page with its timeline', async () => {
    const page = await open('/');
    await page.locator('.verdict strong').waitFor();
    await page.getByRole('link', { name: 'Timeline' }).click();
    for (const step of ['request', 'admitted', 'computed', 'reply'])
      await page.getByRole('rowheader', { name: step, exact: true }).waitFor();
    await close(page);
  });

  test('a dead letter is shown with its bytes and replayed from its page', async () => {
    await sendText('digits', ['no request at all']);
    const page = await open('/console/dead-letters');
    await page.getByRole('rowheader').getByRole('link').first().click();
    await page.getByLabel('Value as text').getByText('no request at all').waitFor();
    await page.getByText('Hexadecimal').first().click();
    await page.getByText('6e 6f 20 72 65 71 75 65 73 74').waitFor();
    await page.getByRole('button', { name: 'Replay this letter' }).click();
    await page.getByText('1 letter to partitura.digits.requests').waitFor();
    await page.getByRole('button', { name: 'Replay 1 letter' }).click();
    await page.getByText('Replayed 1 letter.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('definition').getByText('replayed', { exact: true }).waitFor();
    // It is as wrong as before and comes back, with one replay more.
    await eventually('it came back', async () => (await harness.deadLetters('digits')).length === 2);
    await page.goto(`${url}/console/dead-letters`);
    await page.getByRole('button', { name: 'Drop all' }).click();
    await page.getByRole('button', { name: 'Drop 1 letter' }).click();
    await page.getByText('Dropped 1 letter.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByText('No dead letters match').waitFor();
    await close(page);
  });

  test('a read-only console offers no change and accepts none', async () => {
    const { url: readOnly } = await harness.gateway({ consoleReadOnly: true });
    const page = await browser.newPage();
    await page.goto(`${readOnly}/console/models/digits`);
    await page.getByText('rows are independent').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Unload' }).count(), 0);
    const refused = await call(`${readOnly}/console/api/dead-letters/drop`, { dryRun: false });
    assert.equal(refused.status, 403);
    assert.deepEqual(refused.body, { error: 'the console is read-only (PARTITURA_CONSOLE_READ_ONLY)' });
    await close(page);
  });

  test('pages of other origins cannot change anything', async () => {
    const headers = { origin: 'http://elsewhere.test' };
    const { status } = await call(`${url}/api/models/digits/unload`, '', { headers });
    assert.equal(status, 403);
  });

  test('a node is drained and returned to service from its page', async () => {
    const page = await open('/console/nodes/node-one');
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click();
    await page.getByText('Done by node-one.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Return to service' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Return to service' }).click();
    await page.getByText('Done by node-one.').waitFor();
    await eventually(
      'it serves again',
      async () => (await call(`${url}/v2/models/digits/ready`)).status === 200,
    );
    await close(page);
  });

  for (const dark of [false, true])
    test(`axe finds nothing wrong, in ${dark ? 'dark' : 'light'}, and phones need no sideways scrolling`, async () => {
      await sendText('scale', ['still no request']);
      await eventually('a letter', async () => (await harness.deadLetters('scale')).length > 0);
      const [letter] = await harness.deadLetters('scale');
      const paths = ['/', '/?model=coder', '/console', '/console/nodes', '/console/nodes/node-one'].concat(
        ['/console/models', '/console/models/digits', '/console/topics', '/console/bindings'],
        [
          `/console/topics/${harness.topics.requests('digits')}`,
          '/console/dead-letters',
          '/console/requests',
        ],
        [`/console/dead-letters/${letter?.topic}/${letter?.partition}/${letter?.offset}`],
      );
      for (const path of paths) {
        const page = await open(path, { dark });
        await eventually('the page is filled', () => isFilled(page));
        assert.deepEqual(await accessibilityProblems(page), [], path);
        await page.setViewportSize(PHONE);
        const excess = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        assert.ok(excess <= 0, `${path}: ${excess} pixels wider than the window`);
        await close(page);
      }
    });

  test('each page loads less than 100 kB, all of it from the gateway', async (t) => {
    for (const path of ['/', '/console']) {
      const page = await browser.newPage();
      const sizes: Promise<number>[] = [];
      page.on('response', (response) => {
        assert.equal(new URL(response.url()).origin, url);
        const isPart = !/\/console\/api\/|\/infer$/.test(response.url());
        if (isPart)
          sizes.push(
            response
              .request()
              .sizes()
              .then(({ responseBodySize }) => responseBodySize),
          );
      });
      await page.goto(url + path);
      await page.getByText('1 node').waitFor();
      await page.locator('.panel h1').waitFor();
      if (path === '/console') await page.locator('.plot canvas').first().waitFor();
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      t.diagnostic(`${path}: ${bytes} bytes in ${sizes.length} responses`);
      assert.ok(bytes > 0 && bytes < 100_000, `${path}: ${bytes} bytes`);
      await close(page);
    }
  });

  test('lag moves, stands still during a pause, and the page says that no node is left', async () => {
    const topic = harness.topics.requests('scale');
    const page = await open(`/console/topics/${topic}`);
    const lag = page.locator('.facts div', { hasText: 'Lag' }).locator('dd');
    await lag.getByText('0', { exact: true }).waitFor();
    await node.close();
    await page.getByRole('status').getByText('No node is running').waitFor({ timeout: 30_000 });
    await sendText('scale', ['1', '2', '3']);
    await lag.getByText('3', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await sendText('scale', ['4']);
    await eventually('the twin has moved', async () => {
      const { body } = await call(`${url}/console/api/topics/${topic}`);
      return (body as { lag: number }).lag === 4;
    });
    assert.equal(await lag.innerText(), '3');
    await page.getByRole('button', { name: 'Resume' }).click();
    await lag.getByText('4', { exact: true }).waitFor();
    await harness.node({ nodeId: 'node-two' });
    await lag.getByText('0', { exact: true }).waitFor({ timeout: 30_000 });
    await close(page);
  });
});

/** True once a page waits for nothing any more. */
async function isFilled(page: Page): Promise<boolean> {
  return (await page.locator('h1').count()) > 0 && (await page.locator('.waiting').count()) === 0;
}

/** Finds the ten probabilities in the output of a program. */
function probabilitiesIn(text: string): string[] {
  const numbers = [...text.matchAll(/[\d.]+(?:e-?\d+)?/g)].map(([number]) => Number(number));
  const values = numbers.slice(-40);
  for (let start = values.length - 10; start >= 0; start--) {
    const ten = values.slice(start, start + 10);
    if (Math.abs(ten.reduce((sum, value) => sum + value, 0) - 1) < 1e-3) return rounded(ten);
  }
  return [];
}

function rounded(values: readonly number[]): string[] {
  return values.map((value) => value.toFixed(5));
}
