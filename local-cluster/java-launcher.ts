import { existsSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { killGroup, startGuarded } from './broker-process.js';
import { namedKafkaLibs } from './environment.js';
import { javaCommand, guardProgram } from './process-guard.js';
import type { BrokerExit, BrokerLauncher, BrokerProcess, Launch } from './launcher.js';
import { loopback } from './ports.js';

// Written by the setup: the location of Kafka's jars.
const pointer = new URL('../../.partitura/kafka-jars', import.meta.url);

/** Returns the folder with Kafka's jars: PARTITURA_KAFKA_LIBS, or the one fetched by the setup, if any. */
export function findKafkaJars(): string | undefined {
  const folder = namedKafkaLibs() ?? (existsSync(pointer) ? readFileSync(pointer, 'utf8') : undefined);
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}

export function javaLauncher(jars: string): BrokerLauncher {
  return {
    kind: 'java',
    bindHost: loopback,
    folderSeenByBroker: (dataDir) => dataDir,
    launch: (launch) => launchJava(jars, launch),
  };
}

function launchJava(jars: string, { dataDir, disposable, clusterId, heapMb, log }: Launch): BrokerProcess {
  const archive = `${jars}.jsa`;
  const draft =
    existsSync(archive) || namedKafkaLibs() !== undefined ? undefined : `${archive}.${randomUUID()}`;
  const option = draft === undefined ? '' : `-XX:ArchiveClassesAtExit=${draft}`;
  const java = javaCommand(jars, heapMb, draft === undefined ? archive : undefined);
  const guardArgs = [dataDir, disposable ? dataDir : '', clusterId, option, ...java];
  const { child, exited } = startGuarded('sh', ['-c', guardProgram, 'guard', ...guardArgs], log);
  return {
    exited: draft === undefined ? exited : exited.then((end) => keepArchive(draft, archive, end)),
    terminate: () => child.kill('SIGTERM'),
    kill: () => killGroup(child),
  };
}

/** Keeps the archive of classes that a broker has written as it ended; one that failed or was killed has loaded too few. */
async function keepArchive(draft: string, archive: string, end: BrokerExit): Promise<BrokerExit> {
  const isWhole = end.signal === 'SIGTERM';
  await (isWhole ? rename(draft, archive) : rm(draft, { force: true })).catch(() => undefined);
  return end;
}
