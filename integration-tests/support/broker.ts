import { startLocalBroker } from '../../local-cluster/broker.js';
import { isDockerAvailable } from '../../local-cluster/docker-launcher.js';
import { ensureKafkaImage } from '../../local-cluster/kafka-image.js';
import { startContainerBroker } from './container-broker.js';
import type { TestBroker, TestBrokerKind, TestBrokerOptions } from './test-broker.js';

export type { TestBroker } from './test-broker.js';

export interface TestBrokerChoice {
  readonly kind: TestBrokerKind;
  readonly why: string;
  /** The Kafka image, for testcontainers. */
  readonly image?: string;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

let announced = false;

/** Resolves when the broker serves. The first one of a process says on stderr which kind it is and why. */
export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { kind, why, image } = await prepareTestBroker(say);
  if (!announced)
    say(`this test's broker: ${image === undefined ? kind : `${kind}, image ${image}`} (${why})`);
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
 * PARTITURA_TEST_BROKER decides, else whether Docker answers and has, or can be given, a Kafka image. Making the image
 * may take minutes, once for a machine.
 */
export async function prepareTestBroker(log: (line: string) => void): Promise<TestBrokerChoice> {
  const forced = forcedKind();
  if (forced === 'embedded') return { kind: 'embedded', why: 'PARTITURA_TEST_BROKER says so' };
  if (forced === 'testcontainers') return useImage(log, 'PARTITURA_TEST_BROKER says so');
  if (!isDockerAvailable()) return { kind: 'embedded', why: 'Docker does not answer' };
  try {
    return await useImage(log, 'Docker answers');
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
