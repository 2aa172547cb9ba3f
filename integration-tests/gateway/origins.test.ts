import assert from 'node:assert/strict';
import { connect, constants } from 'node:http2';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { createCertificate } from '../support/certificates.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';
import { callSecurely } from '../support/https.js';
import { missing } from '../support/programs.js';

const noOpenssl = await missing(['openssl', 'version']);
const ROWS = '{"instances":[[1,2]]}';
const OTHER = 'https://other.example';

describe('origins of pages', () => {
  let harness: Harness;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-origins-'));
    harness = await Harness.start(['coder', 'sum']);
    await harness.node();
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  test('`*` opens predictions to all pages, and the control of the cluster to none', async () => {
    const { url } = await harness.gateway({ gatewayCors: '*' });
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
    const statusOf = async (path: string, body: string, method = 'POST'): Promise<number> =>
      (await call(`${url}${path}`, body, { method, headers: { origin: OTHER } })).status;
    assert.equal(await statusOf('/v1/models/coder:predict', ROWS), 200);
    const commands = [
      ['/api/models/sum/unload', ''],
      ['/api/nodes/some/drain', ''],
      ['/API/models/sum/unload', ''],
      ['/v2/repository/models/sum/unload', ''],
      ['/console/api/dead-letters/replay', '{"dryRun":false}'],
    ] as const;
    for (const [path, body] of commands) assert.equal(await statusOf(path, body), 403, path);
    assert.equal(await statusOf('/api/models/sum/labels', '{"stable":"1"}', 'PUT'), 403);
    const { body } = await call(`${url}/readyz`);
    assert.deepEqual((body as { models: string[] }).models, ['coder', 'sum']);
  });

  test(
    'pages of a gateway with TLS may call it, over HTTP/1.1 and HTTP/2',
    { skip: noOpenssl ?? false },
    async () => {
      const files = await createCertificate(folder, 'gateway');
      const { url } = await harness.gateway({ gatewayTlsCert: files.cert, gatewayTlsKey: files.key });
      const path = '/v1/models/coder:predict';
      await eventually('the gateway is ready', async () => {
        const { status } = await callSecurely(`${url}/readyz`, files.cert);
        return status === 200;
      });
      for (const [origin, expected] of [
        [url, 200],
        [OTHER, 403],
      ] as const) {
        const one = await callSecurely(`${url}${path}`, files.cert, { body: ROWS, headers: { origin } });
        assert.equal(one.status, expected, one.text);
        assert.equal(await postOverHttp2(url, path, origin, await readFile(files.cert)), expected);
      }
    },
  );
});

/** Sends a prediction over HTTP/2. @returns its status */
async function postOverHttp2(url: string, path: string, origin: string, ca: Buffer): Promise<unknown> {
  const session = connect(url, { ca });
  try {
    return await new Promise((resolve, reject) => {
      session.once('error', reject);
      session
        .request({ ':path': path, ':method': 'POST', origin })
        .on('response', (headers) => resolve(headers[constants.HTTP2_HEADER_STATUS]))
        .on('error', reject)
        .end(ROWS);
    });
  } finally {
    session.close();
  }
}
