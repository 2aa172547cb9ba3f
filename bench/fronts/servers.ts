import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../local-cluster/ports.js';
import { NURSERY, startGatewayProcess, startNodeProcess } from '../../local-cluster/role-process.js';
import type { BenchHarness } from '../harness.js';
import { MLSERVER_LOGGING, MLSERVER_RUNTIME, mlserverModel } from '../systems/mlserver.js';
import { addressOf, stopChild, untilReady, type RunningSystem } from '../systems/system.js';
import type { HttpRequest } from './http-load.js';
import { binaryRequest, grpcRequest, jsonRequest, MODEL } from './requests.js';

const BARE_PROCESS = fileURLToPath(new URL('./bare-process.js', import.meta.url));

/** Creates the request of a protocol with this many rows. */
type CreateRequest = (rows: number) => HttpRequest;

/** A server of the Open Inference Protocol that is measured. */
export interface FrontServer {
  readonly name: string;
  readonly requests: Readonly<Record<string, CreateRequest>>;
  /** Topics behind a gateway, for the load without it. */
  readonly address?: RunningSystem['address'];
  /** Processes whose time is reported, by their part. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** Starts a node and a gateway, with their defaults. */
export async function startGateway(harness: BenchHarness): Promise<FrontServer> {
  const models = join(harness.modelsFolder, `tensorflow-${MODEL}`);
  const config = harness.config({ prefix: harness.ownPrefix(), models, gatewayPort: 0, grpcPort: 0 });
  const options = { log: () => undefined };
  const node = await startNodeProcess(config, options);
  const gateway = await startGatewayProcess(config, options);
  const { gateway: base, grpc } = gateway.ready;
  return {
    name: 'gateway',
    requests: {
      JSON: (rows) => jsonRequest(base, rows),
      binary: (rows) => binaryRequest(base, rows),
      gRPC: (rows) => grpcRequest(grpc, rows),
    },
    address: addressOf(config.prefix, MODEL),
    pids: { gateway: gateway.pid, node: node.pid, broker: harness.brokerPid },
    async stop() {
      await gateway.stop();
      await node.stop();
    },
  };
}

/** Starts an HTTP server that answers at once: the most that a gateway in one Node process can reach. */
export async function startBare({ modelsFolder }: BenchHarness): Promise<FrontServer> {
  const child = fork(BARE_PROCESS, [modelsFolder], { execArgv: [NURSERY] });
  const [port] = (await once(child, 'message')) as [number];
  return {
    name: 'bare node:http',
    requests: { JSON: (rows) => jsonRequest(`http://127.0.0.1:${port}`, rows) },
    pids: { server: child.pid ?? 0 },
    stop: () => stopChild(child),
  };
}

/** Starts MLServer with the same SavedModel, in one process and with adaptive batching. */
export async function startMlserver({ python, modelsFolder }: BenchHarness): Promise<FrontServer> {
  const folder = mkdtempSync(join(tmpdir(), 'partitura-mlserver-'));
  const [http, grpc] = [await freePort(), await freePort()];
  const settings = {
    parallel_workers: 0,
    host: '127.0.0.1',
    http_port: http,
    grpc_port: grpc,
    metrics_endpoint: null,
    logging_settings: MLSERVER_LOGGING,
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'model-settings.json'), JSON.stringify(mlserverModel(MODEL, modelsFolder)));
  const child = spawn(python, ['-c', 'from mlserver.cli import main; main()', 'start', folder], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: MLSERVER_RUNTIME },
  });
  await untilReady(child, 'mlserver', (line) => line.includes('gRPC server running'));
  return {
    name: 'mlserver',
    requests: {
      JSON: (rows) => jsonRequest(`http://127.0.0.1:${http}`, rows),
      gRPC: (rows) => grpcRequest(`127.0.0.1:${grpc}`, rows),
    },
    pids: { server: child.pid ?? 0 },
    async stop() {
      await stopChild(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
