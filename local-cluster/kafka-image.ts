import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { namedKafkaImage } from './environment.js';
import { findKafkaJars } from './java-launcher.js';

const kafkaVersion = '4.3.0';
const publicImage = `apache/kafka:${kafkaVersion}`;
/** The number is that of our Dockerfile. */
const ownImage = `partitura/kafka:${kafkaVersion}-2`;
const pullLimitMs = 60_000;
const buildLimitMs = 10 * 60_000;

// Relative to dist/local-cluster.
const buildScript = fileURLToPath(new URL('../../deploy/kafka-image/build.sh', import.meta.url));
const execute = promisify(execFile);

/**
 * Returns the name of a Kafka image in the local Docker: PARTITURA_KAFKA_IMAGE (default apache/kafka) if it is
 * present or can be pulled, otherwise one built once from the jars of the setup. Throws if none of these works.
 */
export async function ensureKafkaImage(log: (line: string) => void): Promise<string> {
  const named = namedKafkaImage();
  const wanted = named ?? publicImage;
  if (await exists(wanted)) return wanted;
  // If it was built before, pulling has already failed before.
  if (named === undefined && (await exists(ownImage))) return ownImage;
  if (await pull(wanted, log)) return wanted;
  await build(log);
  return ownImage;
}

async function exists(image: string): Promise<boolean> {
  return (await attempt('docker', ['image', 'inspect', image], 20_000)) === undefined;
}

async function pull(image: string, log: (line: string) => void): Promise<boolean> {
  const failure = await attempt('docker', ['pull', '--quiet', image], pullLimitMs);
  if (failure !== undefined) log(`cannot pull the image ${image} (${failure})`);
  return failure === undefined;
}

async function build(log: (line: string) => void): Promise<void> {
  const jars = findKafkaJars();
  if (jars === undefined)
    throw new Error("building a Kafka image needs Kafka's jars: install Java and Maven, then npm run setup");
  log(`building the image ${ownImage}; this takes about a minute`);
  const failure = await attempt('sh', [buildScript, ownImage, jars], buildLimitMs);
  if (failure !== undefined) throw new Error(`cannot build the Kafka image ${ownImage}: ${failure}`);
}

/** Runs a command; returns the last line of its error output if it fails, otherwise undefined. */
async function attempt(command: string, args: string[], limitMs: number): Promise<string | undefined> {
  try {
    await execute(command, args, { timeout: limitMs, killSignal: 'SIGKILL' });
    return undefined;
  } catch (error) {
    const { stderr, message, killed } = error as Error & { stderr: string; killed: boolean };
    if (killed) return `timed out after ${limitMs / 1000} s`;
    return stderr.trim().split('\n').at(-1) || message;
  }
}
