import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../../support/eventually.js';
import { createCertificate, type CertificateFiles } from '../../support/certificates.js';
import { callSecurely } from '../../support/https.js';
import { Harness } from '../../support/harness.js';
import { missing, run } from '../../support/programs.js';
import { createPython, noPython, SCRIPTS } from '../../support/python.js';

const KEY = randomBytes(24).toString('hex');
const MODELS = 2;
const CALLS_LIMIT_MS = 120_000;
const noOpenssl = await missing(['openssl', 'version']);

describe("IBM's SDK over TLS", { skip: noPython ?? noOpenssl ?? false }, () => {
  let harness: Harness;
  let folder: string;
  let files: CertificateFiles;
  let url: string;
  let python: string;
  let notInstalled: string | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-watson-'));
    const requirements = join(SCRIPTS, 'requirements-watson.txt');
    ({ python, notInstalled } = await createPython(folder, [['-r', requirements]]));
    files = await createCertificate(folder, 'gateway');
    const gatewayApiKeys = join(folder, 'keys.yaml');
    const sha256 = createHash('sha256').update(KEY).digest('hex');
    await writeFile(gatewayApiKeys, `keys:\n  - {name: ada, sha256: ${sha256}}\n`);
    harness = await Harness.start(['coder', 'digits']);
    await harness.node();
    ({ url } = await harness.gateway({
      gatewayApiKeys,
      gatewayTlsCert: files.cert,
      gatewayTlsKey: files.key,
    }));
    await eventually('the models are served', async () => {
      const { text } = await callSecurely(`${url}/readyz`, files.cert);
      return (JSON.parse(text) as { models: string[] }).models.length === MODELS;
    });
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  test('scores, and reports errors in the form of Watson', async (t) => {
    if (notInstalled) return t.skip(notInstalled);
    const { code, stdout, stderr } = await run(
      python,
      [join(SCRIPTS, 'call_watson.py'), url, KEY, files.cert],
      { limitMs: CALLS_LIMIT_MS },
    );
    assert.equal(code, 0, stdout + stderr);
  });
});
