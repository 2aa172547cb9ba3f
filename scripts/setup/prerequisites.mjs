// Checks required programs before any download.
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
 * Checks the programs for the pending steps `needs`: {broker, kafkaJars, addon}. Cached steps need none.
 * Throws SetupError that lists everything missing.
 */
export function checkPrerequisites(needs) {
  const seen = hashOf(process.version, JSON.stringify(needs), ...programs.map((name) => locate(name)));
  if (readIfThere(stamp) === seen) return;
  const missing = [...missingBasics(), ...missingForBroker(needs), ...missingForAddon(needs)];
  if (missing.length > 0) throw new SetupError(missing.join('\n'));
  writeWhole(stamp, seen);
}

/** Returns a path that changes if another version is installed under the same name. */
function locate(name) {
  const path = findProgram(name);
  return path === undefined ? '' : realpathSync(path);
}

function missingBasics() {
  if (process.platform === 'win32')
    return ['Partitura runs on Linux and macOS; on Windows, use it inside WSL.'];
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 11)) return [];
  return [`Node.js: expected 20.11 or newer, got ${process.version}: install a newer version.`];
}

function missingForBroker({ broker, kafkaJars }) {
  if (!broker || (hasJava() && (!kafkaJars || findProgram('mvn'))) || hasDocker()) return [];
  const found = hasJava() ? 'found Java but not Maven' : (javaVersionFound() ?? 'found neither');
  return [
    'The embedded Kafka broker requires Java 17 or newer with Maven, or Docker; ' +
      `${found}: install them (Debian: apt-get install openjdk-17-jre-headless maven), or set KAFKA_BROKERS to use an existing cluster.`,
  ];
}

function javaVersionFound() {
  const major = javaMajor();
  return major === undefined ? undefined : `found only Java ${major}`;
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
  const alternative = 'or set PARTITURA_ENGINE=wasm to skip native TensorFlow';
  const missing = [];
  if (!findProgram('g++'))
    missing.push(
      `The TensorFlow addon requires a C++ compiler, but g++ was not found: install it (Debian: apt-get install g++), ${alternative}.`,
    );
  if (!findProgram('python3') || !succeeds('python3', ['-m', 'pip', '--version']))
    missing.push(
      `Fetching TensorFlow requires Python 3 with pip, which was not found: install it (Debian: apt-get install python3-pip), ${alternative}.`,
    );
  return missing;
}

const succeeds = (command, args) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
