import {
  credentials,
  makeClientConstructor,
  status,
  type ChannelCredentials,
  type Client,
} from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { GrpcClient, type Refusal } from '../support/grpc.js';
import { Harness } from '../support/harness.js';
import { missing, run } from '../support/programs.js';

const noOpenssl = await missing(['openssl', 'version']);

describe('the gRPC server of a gateway', () => {
  let harness: Harness;
  before(async () => {
    harness = await Harness.start(['coder']);
  });
  after(() => harness.close());

  test('health follows the nodes, and NOT_SERVING is the last word of a gateway that stops', async () => {
    const gateway = await harness.gateway();
    const Health = makeClientConstructor(healthDefinition, 'Health');
    const client = new Health(gateway.grpcAddress, credentials.createInsecure()) as unknown as Client & {
      watch(request: object): NodeJS.EventEmitter;
    };
    const seen: string[] = [];
    const watch = client.watch({ service: 'inference.GRPCInferenceService' });
    watch.on('data', ({ status: told }: { status: string }) => seen.push(told));
    await eventually('the gateway is not ready', () => seen.length === 1);
    const node = await harness.node();
    await eventually('the gateway is ready', () => seen.length === 2);
    await node.close();
    await eventually('the gateway is not ready again', () => seen.length === 3);
    assert.deepEqual(seen, ['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
    await harness.node();
    await eventually('the gateway is ready again', () => seen.length === 4);
    const ended = once(watch, 'end');
    await gateway.close();
    await ended;
    assert.deepEqual(seen.slice(3), ['SERVING', 'NOT_SERVING']);
    client.close();
  });

  test('a port in use is refused with a sentence that names the option', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await assert.rejects(harness.gateway({ grpcPort: port }), {
      message: `port ${port} on 127.0.0.1 is in use by another program; choose another with --grpc-port`,
    });
    taken.close();
  });

  test('serves TLS, and reads replaced certificates', { skip: noOpenssl ?? false }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'partitura-tls-'));
    const [gatewayTlsKey, gatewayTlsCert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await createCertificate(gatewayTlsKey, gatewayTlsCert);
    const { grpcAddress } = await harness.gateway({ gatewayTlsKey, gatewayTlsCert });
    const isLive = async (channel: ChannelCredentials): Promise<boolean> => {
      const client = new GrpcClient(grpcAddress, 'inference.GRPCInferenceService', channel);
      const answer = await client.call('ServerLive', {}).catch(({ code }: Refusal) => code);
      client.close();
      return answer !== status.UNAVAILABLE;
    };
    assert.ok(await isLive(credentials.createSsl(await readFile(gatewayTlsCert))));
    assert.ok(!(await isLive(credentials.createInsecure())));
    await createCertificate(gatewayTlsKey, gatewayTlsCert);
    const replaced = credentials.createSsl(await readFile(gatewayTlsCert));
    await eventually('the new certificate is used', () => isLive(replaced));
    await writeFile(gatewayTlsKey, 'no key');
    await assert.rejects(harness.gateway({ gatewayTlsKey, gatewayTlsCert }), {
      message: /^gateway certificate: expected a certificate and its key in /,
    });
    await rm(folder, { recursive: true });
  });
});

async function createCertificate(key: string, cert: string): Promise<void> {
  const { code, stderr } = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', key, '-out', cert],
  ]);
  assert.equal(code, 0, stderr);
}
