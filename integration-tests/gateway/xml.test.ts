import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';

const XML = { 'content-type': 'application/xml' };
const NO_XMLLINT = spawnSync('xmllint', ['--version']).error ? 'xmllint is not installed' : false;
const document = (content: string): string => `<object xmlns="urn:partitura:xml:1">${content}</object>`;

describe('resources in XML', () => {
  let harness: Harness;
  let url: string;
  before(async () => {
    harness = await Harness.start(['coder']);
    await harness.node();
    ({ url } = await harness.gateway());
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(() => harness.close());

  const tensor =
    '<array name="inputs"><object><string name="name">x</string><string name="datatype">FP32</string>' +
    '<numbers name="shape">1 2</numbers><numbers name="data" shape="1 2">1.5 NaN</numbers></object></array>';

  test('the Open Inference Protocol, with NaN', async () => {
    const { status, text } = await call(`${url}/v2/models/coder/infer`, document(tensor), { headers: XML });
    assert.equal(status, 200, text);
    assert.match(text, /<string name="model_name">coder<\/string>/);
    assert.match(text, /<numbers name="data" shape="2">3 NaN<\/numbers>/);
  });

  test("TensorFlow Serving's API, and errors in its words", async () => {
    const rows = document('<numbers name="instances" shape="2 2">1 2 3 4</numbers>');
    const { text } = await call(`${url}/v1/models/coder:predict`, rows, { headers: XML });
    assert.match(text, /<numbers name="predictions" shape="2 2">2 4 6 8<\/numbers>/);
    const wrong = await call(`${url}/v1/models/coder:predict`, document(''), { headers: XML });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /<string name="error">Missing 'inputs' or 'instances' key<\/string>/);
    const bomb = '<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><x>&b;</x>';
    const refused = await call(`${url}/v1/models/coder:predict`, bomb, { headers: XML });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /expected no DOCTYPE, got one/);
  });

  test('every answer is valid by the served schema', { skip: NO_XMLLINT }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partitura-xsd-'));
    try {
      await writeFile(join(folder, 'partitura.xsd'), (await call(`${url}/partitura.xsd`)).text);
      for (const path of [
        '/v2',
        '/v2/models/coder',
        '/v1/models/coder/metadata',
        '/v1/models/no',
        '/api/directives',
      ]) {
        const { text } = await call(`${url}${path}`, undefined, { headers: { accept: 'application/xml' } });
        await writeFile(join(folder, 'answer.xml'), text);
        execFileSync('xmllint', ['--noout', '--nonet', '--schema', 'partitura.xsd', 'answer.xml'], {
          cwd: folder,
          stdio: 'pipe',
        });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
