import { startLocalBroker } from '../../local-cluster/broker.js';
import { isDockerAvailable } from '../../local-cluster/docker-launcher.js';
import { ensureKafkaImage } from '../../local-cluster/kafka-image.js';
import { startContainerBroker } from './container-broker.js';
import type { TestBroker, TestBrokerKind, TestBrokerOptions } from './test-broker.js';

export type { TestBroker } from './test-broker.js';

export interface TestBrokerChoice {
  readonly kind: TestBrokerKind;
  readonly why: string;
  /** The Kafka image for testcontainers. */
  readonly image?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

let announced = false;

/** Resolves once the broker serves. The first broker of a process logs its kind and the reason to stderr. */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { kind, why, image } = await prepareTestBroker(say);
  if (!announced) say(`test broker: ${image === undefined ? kind : `${kind}, image ${image}`} (${why})`);
  announced = true;
  if (image !== undefined) return startContainerBroker(image, options);
  return startEmbedded(options);
}

async function startEmbedded(options: TestBrokerOptions): Promise<TestBroker> {
  const broker = await startLocalBroker(options);
  return {
    kind: 'embedded',
    bootstrap: broker.bootstrap,
    stop: () => broker.stop(),
    kill: () => broker.kill(),
    restart: () => broker.restart(),
  };
}

/**
 * Chooses the kind of broker: by PARTITURA_TEST_BROKER, or else by whether Docker responds and has, or can build, a Kafka
 * image. Building the image may take minutes, once per host.
 */
export async function prepareTestBroker(log: (line: string) => void): Promise<TestBrokerChoice> {
  const forced = forcedKind();
  if (forced === 'embedded') return { kind: 'embedded', why: 'set by PARTITURA_TEST_BROKER' };
  if (forced === 'testcontainers') return useImage(log, 'set by PARTITURA_TEST_BROKER');
  if (!isDockerAvailable()) return { kind: 'embedded', why: 'Docker is not available' };
  try {
    return await useImage(log, 'Docker is available');
  } catch (error) {
    return { kind: 'embedded', why: (error as Error).message };
  }
}

async function useImage(log: (line: string) => void, why: string): Promise<TestBrokerChoice> {
  return { kind: 'testcontainers', image: await ensureKafkaImage(log), why };
}

function forcedKind(): TestBrokerKind | undefined {
  const value = process.env.PARTITURA_TEST_BROKER ?? '';
  if (value === '') return undefined;
  if (value === 'embedded' || value === 'testcontainers') return value;
  throw new Error(`PARTITURA_TEST_BROKER: expected embedded or testcontainers, got ${value}`);
}
