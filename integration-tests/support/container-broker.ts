import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
  type WaitStrategy,
} from 'testcontainers';
import { ARCHIVE_IN_IMAGE } from '../../local-cluster/docker-launcher.js';
import { javaCommand } from '../../local-cluster/process-guard.js';
import { freePort, loopback } from '../../local-cluster/ports.js';
import { waitUntilServing } from '../../local-cluster/readiness.js';
import { brokerSettings, toProperties } from '../../local-cluster/broker-properties.js';
import type { TestBroker, TestBrokerOptions } from './test-broker.js';

// Its image may be unavailable, and its task (removing leftovers of dead tests) is done below.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

const ownerLabel = 'partitura.test-process';
const startLimitMs = 60_000;
const stopLimitMs = 15_000;
const settingsFile = '/tmp/server.properties';
const dataFolder = '/tmp/kafka-data';

// The second start of the same container finds its data formatted.
const program = `
[ -e ${dataFolder}/meta.properties ] ||
  "$@" kafka.tools.StorageTool format -t partitura-test-broker0 -c ${settingsFile} || exit
exec "$@" kafka.Kafka ${settingsFile}`;

/** A Kafka container whose port is the same inside and outside, so that a restart keeps its address. */
export async function startContainerBroker(image: string, options: TestBrokerOptions): Promise<TestBroker> {
  await removeAbandoned();
  const port = await freePort();
  const container = await new GenericContainer(image)
    .withEntrypoint([
      'sh',
      '-c',
      program,
      'broker',
      ...javaCommand('/opt/kafka/libs', options.heapMb ?? 512, ARCHIVE_IN_IMAGE),
    ])
    .withCopyContentToContainer([{ content: settingsOf(port, options), target: settingsFile }])
    .withExposedPorts({ container: port, host: port })
    .withLabels({ [ownerLabel]: String(process.pid) })
    .withWaitStrategy(new ServesKafka(port))
    .start();
  return {
    kind: 'testcontainers',
    bootstrap: `${loopback}:${port}`,
    stop: async () => void (await container.stop({ timeout: 0 })),
    kill: () => kill(container),
    restart: () => container.restart({ timeout: stopLimitMs }),
  };
}

function settingsOf(port: number, { partitions, settings }: TestBrokerOptions): string {
  const ours = brokerSettings({ port, controllerPort: 9093, bindHost: '0.0.0.0' }, dataFolder);
  return toProperties({ ...ours, ...(partitions && { 'num.partitions': String(partitions) }), ...settings });
}

/** Kills the container and waits until it has exited, so that it can be restarted. */
async function kill(container: StartedTestContainer): Promise<void> {
  const client = await getContainerRuntimeClient();
  const running = client.container.getById(container.getId());
  await running.kill();
  await running.wait();
}

/** Removes containers of killed test processes. */
async function removeAbandoned(): Promise<void> {
  const client = await getContainerRuntimeClient();
  for (const { Id, Labels } of await client.container.list()) {
    const owner = Labels[ownerLabel];
    if (owner !== undefined && !isAlive(Number(owner)))
      await client.container.getById(Id).remove({ force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

type Container = Parameters<WaitStrategy['waitUntilReady']>[0];

/** Waits until Kafka serves; built-in strategies wait for an open port, which Kafka has long before. */
class ServesKafka implements WaitStrategy {
  #limitMs = startLimitMs;

  constructor(readonly port: number) {}

  async waitUntilReady(container: Container): Promise<void> {
    const never = new Promise<never>(() => undefined);
    if ((await waitUntilServing(this.port, never, this.#limitMs)) === 'serving') return;
    const log = await container.logs({ stdout: true, stderr: true, tail: 20, follow: false });
    throw new Error(
      `Kafka in its container did not serve within ${this.#limitMs / 1000} s; its last log lines:\n${log.toString()}`,
    );
  }

  withStartupTimeout(limitMs: number): this {
    this.#limitMs = limitMs;
    return this;
  }

  isStartupTimeoutSet(): boolean {
    return true;
  }

  getStartupTimeout(): number {
    return this.#limitMs;
  }
}
