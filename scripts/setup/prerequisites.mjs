// Prerequisites of the machine, checked before anything is downloaded.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { stateDir } from './paths.mjs';
import { findProgram } from './processes.mjs';
import { hashOf, readIfThere, writeWhole } from './stamps.mjs';

const stamp = join(stateDir, 'prerequisites');
const programs = ['java', 'mvn', 'docker', 'g++', 'python3'];

/**
 * `needs` says what is still to be done on this machine: {broker, kafkaJars, addon}. What is cached needs no tool.
 * Throws SetupError naming everything that is missing.
 */
export function checkPrerequisites(needs) {
  const seen = hashOf(process.version, JSON.stringify(needs), ...programs.map((name) => locate(name)));
  if (readIfThere(stamp) === seen) return;
  const missing = [...missingBasics(), ...missingForBroker(needs), ...missingForAddon(needs)];
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
  writeWhole(stamp, seen);
}

/** Changes when another version is installed under the same name. */
function locate(name) {
  const path = findProgram(name);
  return path === undefined ? '' : realpathSync(path);
}

function missingBasics() {
  if (process.platform === 'win32')
    return ['Partitura runs on Linux and macOS; on Windows, use it inside WSL.'];
  const [major, minor, patch] = process.versions.node.split('.').map(Number);
  const isNew = (leastMinor, leastPatch = 0) =>
    minor > leastMinor || (minor === leastMinor && patch >= leastPatch);
  // As in package.json: the locked Kafka library needs these.
  if (major > 22 || (major === 22 && isNew(18)) || (major === 20 && isNew(19, 4))) return [];
  return [`Node.js 20.19.4 or 22.18 or later is required, found ${process.version}`];
}

function missingForBroker({ broker, kafkaJars }) {
  if (!broker || (hasJava() && (!kafkaJars || findProgram('mvn'))) || hasDocker()) return [];
  const found = hasJava() ? 'Java is here but Maven is not' : (javaVersionFound() ?? 'neither was found');
  return [
    'Java 17 or newer with Maven, or a running Docker, is needed for the embedded Kafka broker, and ' +
      `${found}: install them (Debian: apt-get install openjdk-17-jre-headless maven), or set KAFKA_BROKERS to use a cluster that runs already.`,
  ];
}

function javaVersionFound() {
  const major = javaMajor();
  return major === undefined ? undefined : `only Java ${major} was found`;
}

export const hasJava = () => (javaMajor() ?? 0) >= 17;

function javaMajor() {
  if (findProgram('java') === undefined) return undefined;
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 20_000 });
  const major = /version "(\d+)/.exec(stderr ?? '')?.[1];
  return major === undefined ? undefined : Number(major);
}

function hasDocker() {
  return findProgram('docker') !== undefined && succeeds('docker', ['info']);
}

function missingForAddon({ addon }) {
  if (!addon) return [];
  const way = 'or set PARTITURA_ENGINE=wasm to do without TensorFlow itself';
  const missing = [];
  if (!findProgram('g++'))
    missing.push(
      `A C++ compiler is needed for TensorFlow's addon and g++ was not found: install it (Debian: apt-get install g++), ${way}.`,
    );
  if (!findProgram('python3') || !succeeds('python3', ['-m', 'pip', '--version']))
    missing.push(
      `Python 3 with pip is needed to fetch TensorFlow and was not found: install it (Debian: apt-get install python3-pip), ${way}.`,
    );
  return missing;
}

const succeeds = (command, args) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
