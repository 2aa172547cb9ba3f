// Fetches the Kafka jars for the embedded broker from Maven Central.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cachedPath } from './cache.mjs';
import { root, stateDir } from './paths.mjs';
import { run } from './run.mjs';
import { hashOf, readIfThere, writeWhole } from './stamps.mjs';
import { timed } from './timed.mjs';

const pom = join(root, 'local-cluster', 'kafka', 'pom.xml');
/** Contains the path of the jars for the launcher of the broker, so that the location of the cache is defined once. */
const pointer = join(stateDir, 'kafka-jars');

export function haveKafkaJars() {
  return existsSync(cachedPath(cacheName()));
}

/** Returns true if the jars exist and the pointer of this checkout refers to them. */
export function isKafkaReady() {
  return haveKafkaJars() && readIfThere(pointer) === cachedPath(cacheName());
}

export async function fetchKafkaJars(log) {
  const path = await cached(cacheName(), (draft) =>
    timed(log, `downloading Kafka ${kafkaVersion()} from Maven Central (44 MB)`, () =>
      copyDependencies(draft),
    ),
  );
  writeWhole(pointer, path);
}

async function copyDependencies(folder) {
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies';
  const args = ['-B', '-q', '-f', pom, goal, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  await run('mvn', args, { what: "fetching Kafka's jars", limitMs: 10 * 60_000 });
}

const cacheName = () => `kafka-${kafkaVersion()}-${hashOf(readIfThere(pom)).slice(0, 8)}`;

const kafkaVersion = () => /<kafka\.version>(.*)<\/kafka\.version>/.exec(readIfThere(pom))[1];
