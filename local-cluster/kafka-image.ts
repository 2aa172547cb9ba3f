import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findKafkaJars } from './java-launcher.js';

const kafkaVersion = '4.3.0';
const publicImage = `apache/kafka:${kafkaVersion}`;
const ownImage = `partitura/kafka:${kafkaVersion}`;
const pullLimitMs = 60_000;
const buildLimitMs = 10 * 60_000;

// Seen from dist/local-cluster.
const buildScript = fileURLToPath(new URL('../../deploy/kafka-image/build.sh', import.meta.url));
const execute = promisify(execFile);

/**
 * The name of a Kafka image that this machine's Docker has: PARTITURA_KAFKA_IMAGE (default apache/kafka) when it is there
 * or can be pulled, else one built here, once, from the jars of the set-up. Throws when none of the ways works.
 */
export async function ensureKafkaImage(log: (line: string) => void): Promise<string> {
  const named = process.env.PARTITURA_KAFKA_IMAGE ?? '';
  const wanted = named === '' ? publicImage : named;
  if (await isThere(wanted)) return wanted;
  // Where it was built before, pulling was tried before.
  if (named === '' && (await isThere(ownImage))) return ownImage;
  if (await pull(wanted, log)) return wanted;
  await build(log);
  return ownImage;
}

async function isThere(image: string): Promise<boolean> {
  return (await attempt('docker', ['image', 'inspect', image], 20_000)) === undefined;
}

async function pull(image: string, log: (line: string) => void): Promise<boolean> {
  const failure = await attempt('docker', ['pull', '--quiet', image], pullLimitMs);
  if (failure !== undefined) log(`the image ${image} can't be pulled (${failure})`);
  return failure === undefined;
}

async function build(log: (line: string) => void): Promise<void> {
  const jars = findKafkaJars();
  if (jars === undefined)
    throw new Error("building a Kafka image needs Kafka's jars: install Java and Maven, then npm run setup");
  log(`building the image ${ownImage} here, which takes about a minute`);
  const failure = await attempt('sh', [buildScript, ownImage, jars], buildLimitMs);
  if (failure !== undefined) throw new Error(`the Kafka image ${ownImage} can't be built: ${failure}`);
}

/** What went wrong in the command's own last words, or undefined. */
async function attempt(command: string, args: string[], limitMs: number): Promise<string | undefined> {
  try {
    await execute(command, args, { timeout: limitMs, killSignal: 'SIGKILL' });
    return undefined;
  } catch (error) {
    const { stderr, message, killed } = error as Error & { stderr: string; killed: boolean };
    if (killed) return `no end within ${limitMs / 1000} s`;
    return stderr.trim().split('\n').at(-1) || message;
  }
}
