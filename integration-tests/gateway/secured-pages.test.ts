import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { accessibilityProblems, noBrowser, startBrowser } from '../support/browser.js';
import { createCertificate, type CertificateFiles } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { callSecurely } from '../support/https.js';
import { missing, run } from '../support/programs.js';

const KEY = randomBytes(24).toString('hex');
const READER = randomBytes(24).toString('hex');
const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
const noOpenssl = await missing(['openssl', 'version']);
/** Folder for pictures of the pages; none are taken without it. */
const PICTURES = process.env['PARTITURA_TEST_PICTURES'];

describe('the pages over TLS with authentication', { skip: noBrowser ?? noOpenssl ?? false }, () => {
  let harness: Harness;
  let folder: string;
  let files: CertificateFiles;
  let url: string;
  let browser: Browser;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-pages-'));
    files = await createCertificate(folder, 'gateway');
    const gatewayApiKeys = join(folder, 'keys.yaml');
    await writeFile(
      gatewayApiKeys,
      `keys:\n  - {name: ada, sha256: ${hash(KEY)}, control: true}\n  - {name: eve, sha256: ${hash(READER)}}\n`,
    );
    harness = await Harness.start(['digits', 'sum']);
    await harness.node({ nodeId: 'node-one' });
    ({ url } = await harness.gateway({
      gatewayApiKeys,
      gatewayTlsCert: files.cert,
      gatewayTlsKey: files.key,
    }));
    await eventually('the models are served', async () => {
      const headers = { 'x-api-key': KEY };
      const ready = ['digits', 'sum'].map((model) =>
        callSecurely(`${url}/v2/models/${model}/ready`, files.cert, { headers }),
      );
      return (await Promise.all(ready)).every(({ status }) => status === 200);
    });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    await harness?.close();
    await rm(folder, { recursive: true });
  });

  /** Opens a browser whose user answers its question with an API key as password. */
  async function signIn(key: string, colorScheme: 'light' | 'dark' = 'light'): Promise<BrowserContext> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      httpCredentials: { username: 'anything', password: key },
      colorScheme,
    });
    context.setDefaultTimeout(15_000);
    return context;
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (PICTURES !== undefined)
      await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }

  test('a browser is asked for a key, and nothing of a page is sent without one', async () => {
    const { status, headers, text } = await callSecurely(`${url}/`, files.cert, {
      headers: { accept: 'text/html' },
    });
    assert.equal(status, 401);
    assert.equal(headers['www-authenticate'], 'Basic realm="Partitura", charset="UTF-8"');
    assert.match(text, /expected a credential/);
    const context = await signIn('guess');
    const page = await context.newPage();
    const response = await page.goto(url).catch(() => null);
    assert.ok(response === null || response.status() === 401);
    await context.close();
  });

  for (const scheme of ['light', 'dark'] as const)
    test(`with the key all pages load, and a prediction is made (${scheme})`, async () => {
      const context = await signIn(KEY, scheme);
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      page.on('response', (response) => {
        if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
      });
      await page.goto(url);
      await page.locator('.bars .best').waitFor();
      await picture(page, `try-${scheme}`);
      assert.deepEqual(await accessibilityProblems(page), []);
      for (const [view, shown] of [
        ['', 'node-one'],
        ['/nodes', 'node-one'],
        ['/models', 'digits'],
        ['/topics', 'partitura.digits.requests'],
        ['/dead-letters', 'No dead letters'],
      ] as const) {
        await page.goto(`${url}/console${view}`);
        await page.getByText(shown).first().waitFor();
        await picture(page, `console${view.replace('/', '-')}-${scheme}`);
      }
      assert.deepEqual(problems, []);
      await context.close();
    });

  test('programs of a request take the key from the environment, and work', async () => {
    const context = await signIn(KEY);
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('.bars .best').waitFor();
    const curl = await programIn(page, 'curl');
    assert.match(curl, /-H "authorization: Bearer \$PARTITURA_API_KEY"/);
    const env = { PARTITURA_API_KEY: KEY, CURL_CA_BUNDLE: files.cert, SSL_CERT_FILE: files.cert };
    const answered = await run('sh', ['-c', curl], { env });
    assert.match(answered.stdout, /"outputs":\[\{"name":"probabilities"/, answered.stdout + answered.stderr);
    const script = join(folder, 'predict.mjs');
    await writeFile(script, await programIn(page, 'JavaScript'));
    const node = await run(process.execPath, [script], { env: { ...env, NODE_EXTRA_CA_CERTS: files.cert } });
    assert.match(node.stdout, /^probabilities/, node.stderr);
    const python = await programIn(page, 'Python');
    const pythonRun = await run('python3', ['-c', python], { env });
    assert.match(pythonRun.stdout, /^probabilities/, pythonRun.stderr);
    assert.match(
      await programIn(page, 'Java'),
      /"authorization", "Bearer " \+ System.getenv\("PARTITURA_API_KEY"\)/,
    );
    await context.close();
  });

  test('a key without the right to control sees why a command is refused', async () => {
    const context = await signIn(READER);
    const page = await context.newPage();
    await page.goto(`${url}/console/dead-letters`);
    await page.getByText("'eve' may not control the cluster").first().waitFor();
    await context.close();
  });
});

async function programIn(page: Page, language: string): Promise<string> {
  await page.getByRole('tab', { name: language, exact: true }).click();
  return page.locator('#snippet pre').innerText();
}
