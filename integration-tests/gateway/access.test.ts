import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { status } from '@grpc/grpc-js';
import { GrpcClient } from '../support/grpc.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call, type JsonResponse } from '../support/http.js';
import { createCertificate } from '../support/certificates.js';

const KEY = randomBytes(24).toString('hex');
const LIMITED = randomBytes(24).toString('hex');
const hash = (key: string): string => createHash('sha256').update(key).digest('hex');

describe('access to a gateway', () => {
  let harness: Harness;
  let url: string;
  let grpcAddress: string;
  let folder: string;
  let keySet: Server;
  let signingKey: CryptoKey;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-access-'));
    await writeFile(
      join(folder, 'keys.yaml'),
      `keys:\n  - {name: ada, sha256: ${hash(KEY)}, models: [sum], control: true}\n` +
        `  - {name: bob, sha256: ${hash(LIMITED)}, requestsPerSecond: 1}\n`,
    );
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    signingKey = privateKey;
    const jwk = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] });
    keySet = createServer((_request, response) => response.end(jwk)).listen(0, '127.0.0.1');
    await new Promise((resolve) => keySet.once('listening', resolve));
    harness = await Harness.start(['sum', 'scale']);
    await harness.node();
    ({ url, grpcAddress } = await harness.gateway({
      gatewayApiKeys: join(folder, 'keys.yaml'),
      gatewayJwks: `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/`,
      gatewayJwtAudience: 'partitura',
      gatewayCors: 'https://app.example',
    }));
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(async () => {
    await harness.close();
    keySet.close();
    await rm(folder, { recursive: true });
  });

  const predict = (model: string, headers: Record<string, string> = {}): Promise<JsonResponse> =>
    call(`${url}/v1/models/${model}:predict`, { instances: [[1, 2]] }, { headers });

  test('only health answers without a credential', async () => {
    for (const path of ['/healthz', '/readyz', '/v2/health/live', '/v2/health/ready'])
      assert.equal((await call(`${url}${path}`)).status, 200, path);
    for (const path of [
      '/',
      '/v2',
      '/metrics',
      '/v1/models/sum',
      '/v2/models/sum',
      '/api/directives',
      '/nothing',
    ])
      assert.equal((await call(`${url}${path}`)).status, 401, path);
    assert.equal((await predict('sum')).status, 401);
    assert.equal((await predict('sum', { 'x-api-key': 'guess' })).status, 401);
  });

  test('a key is taken from any of the usual headers, for its models only', async () => {
    const basic = Buffer.from(`user:${KEY}`).toString('base64');
    for (const headers of [
      { 'x-api-key': KEY },
      { authorization: `Bearer ${KEY}` },
      { authorization: `Basic ${KEY}` },
      { authorization: `Basic ${basic}` },
    ])
      assert.equal((await predict('sum', headers)).status, 200, JSON.stringify(headers));
    const other = await predict('scale', { 'x-api-key': KEY });
    const unknown = await predict('none', { 'x-api-key': KEY });
    assert.deepEqual([other.status, other.text], [404, unknown.text.replace('none', 'scale')]);
  });

  test('a caller sees the models that it may use, and no trace of others', async () => {
    const headers = { 'x-api-key': KEY };
    const as = (path: string, body?: string): Promise<JsonResponse> =>
      call(`${url}${path}`, body, { headers });
    await as('/v2/repository/models/sum/load', '');
    for (const path of [
      '/v1/models/MODEL',
      '/v1/models/MODEL/metadata',
      '/v2/models/MODEL',
      '/v2/models/MODEL/config',
      '/v2/models/MODEL/stats',
      '/v2/models/MODEL/ready',
      '/ml/v4/deployments/MODEL',
      '/console/api/models/MODEL',
    ]) {
      const [own, other, unknown] = [await get('sum'), await get('scale'), await get('none')];
      assert.equal(own.status, 200, path);
      assert.deepEqual([other.status, other.text], [unknown.status, unknown.text.replace('none', 'scale')]);
      function get(model: string): Promise<JsonResponse> {
        return as(path.replace('MODEL', model));
      }
    }
    for (const path of ['infer', 'bulk'])
      assert.equal((await as(`/v2/models/scale/${path}`, '{}')).status, 404, path);
    const lists = [
      await as('/v2/repository/index', ''),
      await as('/v2/models/stats'),
      await as('/api/directives'),
      ...(await Promise.all(
        ['', '/models', '/nodes', '/topics', '/waits'].map((view) => as(`/console/api${view}`)),
      )),
    ];
    for (const { status, text } of lists) {
      assert.equal(status, 200);
      assert.match(text, /sum/);
      assert.doesNotMatch(text, /scale/);
    }
    const leaving = new AbortController();
    const events = await fetch(`${url}/console/api/events`, { headers, signal: leaving.signal });
    const first = await events.body?.getReader().read();
    const text = Buffer.from(first?.value ?? []).toString('utf8');
    assert.match(text, /event: models\n.*sum/);
    assert.doesNotMatch(text, /scale/);
    leaving.abort();
    assert.doesNotMatch((await call(`${url}/readyz`)).text, /sum|scale/);
  });

  test('a caller of gRPC sees the models that it may use', async () => {
    const client = new GrpcClient(grpcAddress, 'inference.GRPCInferenceService');
    const metadata = { 'x-api-key': KEY };
    const { models } = await client.call('RepositoryIndex', {}, { metadata });
    assert.deepEqual(
      (models as { name: string }[]).map(({ name }) => name),
      ['sum'],
    );
    const { model_stats: stats } = await client.call('ModelStatistics', {}, { metadata });
    assert.equal((stats as object[]).length, 1);
    for (const method of ['ModelMetadata', 'ModelConfig', 'ModelStatistics']) {
      const { code } = await client.refusal(method, { name: 'scale' }, { metadata });
      assert.equal(code, status.NOT_FOUND, method);
    }
    const refused = await client.refusal('ModelInfer', { model_name: 'scale' }, { metadata });
    assert.equal(refused.code, status.NOT_FOUND);
    client.close();
  });

  test('a quota is refused with the time to wait', async () => {
    const answers = [
      await predict('sum', { 'x-api-key': LIMITED }),
      await predict('sum', { 'x-api-key': LIMITED }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 429],
    );
    assert.equal(answers[1]?.headers.get('retry-after'), '1');
    const unload = await call(`${url}/api/models/sum/unload`, '', { headers: { 'x-api-key': LIMITED } });
    assert.equal(unload.status, 403);
  });

  test('a token is verified by signature, audience and time', async () => {
    const token = (audience: string, expires: string): Promise<string> =>
      new SignJWT({ models: ['scale'] })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setSubject('eve')
        .setAudience(audience)
        .setExpirationTime(expires)
        .sign(signingKey);
    const bearer = async (...args: Parameters<typeof token>): Promise<Record<string, string>> => ({
      authorization: `Bearer ${await token(...args)}`,
    });
    assert.notEqual((await predict('scale', await bearer('partitura', '1m'))).status, 401);
    assert.equal((await predict('sum', await bearer('partitura', '1m'))).status, 404);
    assert.equal((await predict('scale', await bearer('other', '1m'))).status, 401);
    assert.equal((await predict('scale', await bearer('partitura', '-1m'))).status, 401);
  });

  test('only configured origins may call from their pages', async () => {
    const preflight = (origin: string): Promise<JsonResponse> =>
      call(`${url}/v2/models/sum/infer`, '', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight('https://app.example');
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.equal((await preflight('https://other.example')).headers.get('access-control-allow-origin'), null);
  });

  test('TLS speaks HTTP/1.1 and HTTP/2, and takes a renewed certificate', async () => {
    const files = await createCertificate(folder, 'first');
    const { url: secure } = await harness.gateway({ gatewayTlsCert: files.cert, gatewayTlsKey: files.key });
    assert.match(secure, /^https:/);
    const subject = (): Promise<string> =>
      new Promise((resolve, reject) => {
        request(`${secure}/healthz`, { rejectUnauthorized: false, agent: false }, (response) => {
          const { subject: found } = (response.socket as TLSSocket).getPeerCertificate();
          response.resume().on('end', () => resolve(String(found.CN)));
        })
          .on('error', reject)
          .end();
      });
    assert.equal(await subject(), 'first');
    const session = connect(secure, { rejectUnauthorized: false });
    const status = await new Promise((resolve, reject) => {
      session.once('error', reject);
      session
        .request({ ':path': '/healthz' })
        .on('response', (headers) => resolve(headers[constants.HTTP2_HEADER_STATUS]));
    });
    session.close();
    assert.equal(status, 200);
    await createCertificate(folder, 'second', files);
    await eventually('the renewed certificate is used', async () => (await subject()) === 'second');
  });

  test('jobs need the right to control the cluster, and the right to use their model', async () => {
    const list = (key: string): Promise<JsonResponse> =>
      call(`${url}/v1/jobs`, undefined, { headers: { authorization: `Bearer ${key}` } });
    assert.equal((await list(LIMITED)).status, 403);
    assert.equal((await list(KEY)).status, 200);
    const submit = (kind: object): Promise<JsonResponse> =>
      call(
        `${url}/v1/jobs`,
        { parameters: kind, inputs: [] },
        { headers: { authorization: `Bearer ${KEY}` } },
      );
    assert.equal((await submit({ kind: 'map', model: 'sum', input: 'x.csv' })).status, 202);
    assert.equal((await submit({ kind: 'map', model: 'scale', input: 'x.csv' })).status, 404);
    assert.equal((await submit({ kind: 'scale', parts: 1 })).status, 404);
  });
});
