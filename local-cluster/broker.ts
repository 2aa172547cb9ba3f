import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureKafkaImage } from './kafka-image.js';
import { dockerLauncher, isDockerAvailable } from './docker-launcher.js';
import { findKafkaJars, javaLauncher } from './java-launcher.js';
import type { BrokerExit, BrokerLauncher, BrokerProcess } from './launcher.js';
import { assertPortFree, freePort, loopback } from './ports.js';
import { waitUntilServing } from './readiness.js';
import { brokerSettings, toProperties } from './broker-properties.js';

export type { BrokerExit } from './launcher.js';

export interface LocalBrokerOptions {
  /** Port on 127.0.0.1; 0 or undefined chooses a free one. */
  readonly port?: number;
  /** Data folder, created if missing. Undefined: a temporary folder, removed when the broker is stopped. */
  readonly dataDir?: string;
  /** Default number of partitions of a new topic. Default 8. */
  readonly partitions?: number;
  /** Kafka settings, overriding the defaults. */
  readonly settings?: Record<string, string>;
  /** Shared by the brokers of a group. Default: a new one. */
  readonly clusterId?: string;
  /** Called with each line of the broker's log (warnings and errors). */
  readonly log?: (line: string) => void;
  /** Aborts the start; has no effect on a running broker. */
  readonly signal?: AbortSignal | undefined;
  /** Maximum heap size of the broker in MiB. Default 512. */
  readonly heapMb?: number;
}

/** A Kafka broker that ends with this process, however the process ends. */
export interface LocalBroker {
  /** `127.0.0.1:<port>`, unchanged across restarts. */
  readonly bootstrap: string;
  readonly kind: 'java' | 'docker';
  /** Resolves when the current process has ended, for any reason. A restart replaces the promise. */
  readonly exited: Promise<BrokerExit>;
  /** Stops the broker gracefully and removes its data if it is temporary. May be called twice. */
  stop(): Promise<void>;
  /** Sends SIGKILL, simulating a crash. The data is kept, and `restart` may follow. */
  kill(): Promise<void>;
  /** Starts the broker again with the same port and data; stops it gracefully first if it is running. */
  restart(): Promise<void>;
}

const startLimitMs = 60_000;
const stopLimitMs = 20_000;

/**
 * Resolves when the broker serves requests. Rejects with a one-sentence reason: a port in use, no Java, a full disk.
 */
export async function startLocalBroker(options: LocalBrokerOptions = {}): Promise<LocalBroker> {
  const launcher = await chooseLauncher(options.log ?? ignore);
  const port = options.port || (await freePort());
  await assertPortFree(port);
  const disposable = options.dataDir === undefined;
  const dataDir = disposable ? await mkdtemp(join(tmpdir(), 'partitura-kafka-')) : resolve(options.dataDir);
  const broker = new GuardedBroker(launcher, { ...options, port, dataDir }, disposable);
  const { signal } = options;
  const kill = (): void => void broker.kill();
  signal?.addEventListener('abort', kill, { once: true });
  try {
    await broker.start();
    signal?.throwIfAborted();
  } catch (error) {
    await broker.stop();
    throw error;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
  return broker;
}

async function chooseLauncher(log: (line: string) => void): Promise<BrokerLauncher> {
  const jars = findKafkaJars();
  if (jars !== undefined) return javaLauncher(jars);
  if (isDockerAvailable()) return dockerLauncher(await ensureKafkaImage(log));
  throw new Error(
    "the embedded broker needs Kafka's jars or a running Docker and found neither: run npm run setup",
  );
}

type ResolvedOptions = LocalBrokerOptions & { readonly port: number; readonly dataDir: string };

class GuardedBroker implements LocalBroker {
  readonly bootstrap: string;
  readonly kind: 'java' | 'docker';
  #process: BrokerProcess | undefined;

  constructor(
    readonly launcher: BrokerLauncher,
    readonly options: ResolvedOptions,
    readonly disposable: boolean,
  ) {
    this.bootstrap = `${loopback}:${options.port}`;
    this.kind = launcher.kind;
  }

  get exited(): Promise<BrokerExit> {
    if (this.#process === undefined) throw new Error('the broker was never started');
    return this.#process.exited;
  }

  async start(): Promise<void> {
    await this.#writeSettings();
    this.options.signal?.throwIfAborted();
    this.#process = this.launcher.launch({
      ...this.options,
      disposable: this.disposable,
      clusterId: this.options.clusterId ?? newClusterId(),
      heapMb: this.options.heapMb ?? 512,
      log: this.options.log ?? ignore,
    });
    const waited = await waitUntilServing(this.options.port, this.#process.exited, startLimitMs);
    if (waited === 'serving') return;
    if (waited === 'silent') await this.kill();
    throw new Error(explainFailure(waited, await this.#process.exited, this.options.dataDir));
  }

  async stop(): Promise<void> {
    await this.#terminate();
    if (this.disposable) await rm(this.options.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  async kill(): Promise<void> {
    this.#process?.kill();
    await this.#process?.exited;
  }

  async restart(): Promise<void> {
    await this.#terminate();
    await this.start();
  }

  async #terminate(): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    running.terminate();
    const ended = await Promise.race([running.exited, sleep(stopLimitMs, undefined, { ref: false })]);
    if (ended === undefined) await this.kill();
  }

  async #writeSettings(): Promise<void> {
    const { dataDir, port, partitions, settings } = this.options;
    const addresses = { port, controllerPort: await freePort(), bindHost: this.launcher.bindHost };
    const logDir = `${this.launcher.folderSeenByBroker(dataDir)}/log`;
    const ours = {
      ...brokerSettings(addresses, logDir),
      ...(partitions && { 'num.partitions': String(partitions) }),
    };
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'server.properties'), toProperties({ ...ours, ...settings }));
  }
}

/**
 * Creates a cluster id in base64url, as Kafka does. The first bit is 0: a leading "-" would be parsed as an option.
 */
export function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0] = bytes.readUInt8(0) & 0x7f;
  return bytes.toString('base64url');
}

function explainFailure(waited: 'ended' | 'silent', exit: BrokerExit, dataDir: string): string {
  if (exit.lastLog.includes('No space left on device'))
    return `Kafka cannot start: the disk with ${dataDir} is full; free some space or choose another folder with --data`;
  const ended = `ended with ${exit.signal ?? `exit code ${exit.code}`} before it was ready`;
  const silent = `was not ready within ${startLimitMs / 1000} s`;
  return `Kafka ${waited === 'ended' ? ended : silent}; its last log lines:\n${exit.lastLog}`;
}

const ignore = (): void => undefined;
