import {
  credentials,
  makeClientConstructor,
  status,
  type ChannelCredentials,
  type Client,
} from '@grpc/grpc-js';
import { service as healthDefinition } from 'grpc-health-check';
import { createHash } from 'node:crypto';
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
import { createCertificate } from '../support/certificates.js';
import { missing } from '../support/programs.js';

const OIP = 'inference.GRPCInferenceService';

const noOpenssl = await missing(['openssl', 'version']);

describe('the gRPC server of a gateway', () => {
  let harness: Harness;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-grpc-'));
    harness = await Harness.start(['coder']);
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  test('health follows the nodes, and NOT_SERVING is the last word of a gateway that stops', async () => {
    const gateway = await harness.gateway();
    const Health = makeClientConstructor(healthDefinition, 'Health');
    const client = new Health(gateway.grpcAddress, credentials.createInsecure()) as unknown as Client & {
      watch(request: object): NodeJS.EventEmitter;
    };
    const seen: string[] = [];
    const watch = client.watch({ service: OIP });
    watch.on('data', ({ status: reported }: { status: string }) => seen.push(reported));
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
    const files = await createCertificate(folder, 'first');
    const tls = { gatewayTlsCert: files.cert, gatewayTlsKey: files.key };
    const { grpcAddress } = await harness.gateway(tls);
    const isLive = async (channel: ChannelCredentials): Promise<boolean> => {
      const client = new GrpcClient(grpcAddress, OIP, channel);
      const answer = await client.call('ServerLive', {}).catch(({ code }: Refusal) => code);
      client.close();
      return answer !== status.UNAVAILABLE;
    };
    assert.ok(await isLive(credentials.createSsl(await readFile(files.cert))));
    assert.ok(!(await isLive(credentials.createInsecure())));
    await createCertificate(folder, 'second', files);
    const replaced = credentials.createSsl(await readFile(files.cert));
    await eventually('the new certificate is used', () => isLive(replaced));
  });

  test('only health answers without a credential, and quotas and rights hold', async () => {
    const [key, other] = ['a-key-of-ada', 'a-key-of-bob'];
    const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
    const gatewayApiKeys = join(folder, 'keys.yaml');
    await writeFile(
      gatewayApiKeys,
      `keys:\n  - {name: ada, sha256: ${hash(key)}}\n  - {name: bob, sha256: ${hash(other)}, models: [none]}\n`,
    );
    const { grpcAddress } = await harness.gateway({ gatewayApiKeys });
    const client = new GrpcClient(grpcAddress, OIP);
    const contents = { fp32_contents: [1, 2] };
    const request = {
      model_name: 'coder',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents }],
    };
    const ada = { metadata: { authorization: `Bearer ${key}` } };
    assert.deepEqual(await client.call('ServerLive', {}), { live: true });
    await eventually(
      'the gateway is ready',
      async () => (await client.call('ServerReady', {}))['ready'] === true,
    );
    assert.equal((await client.refusal('ModelInfer', request)).code, status.UNAUTHENTICATED);
    assert.equal((await client.refusal('RepositoryIndex', {})).code, status.UNAUTHENTICATED);
    assert.equal((await client.call('ModelInfer', request, ada))['model_name'], 'coder');
    const bob = await client.refusal('ModelInfer', request, { metadata: { 'x-api-key': other } });
    assert.deepEqual(
      [bob.code, bob.details],
      [status.NOT_FOUND, "Request for unknown model: 'coder' is not found"],
    );
    const load = await client.refusal('RepositoryModelLoad', { model_name: 'coder' }, ada);
    assert.equal(load.code, status.PERMISSION_DENIED);
    const refused = new Promise<number>((resolve) =>
      client.stream('ModelStreamInfer').on('error', ({ code }: Refusal) => resolve(code)),
    );
    assert.equal(await refused, status.UNAUTHENTICATED);
    client.close();
  });
});
