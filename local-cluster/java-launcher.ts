import { existsSync, readFileSync } from 'node:fs';
import { killGroup, startGuarded } from './broker-process.js';
import { namedKafkaLibs } from './environment.js';
import { javaCommand, guardProgram } from './process-guard.js';
import type { BrokerLauncher, BrokerProcess, Launch } from './launcher.js';
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
  const guardArgs = [dataDir, disposable ? dataDir : '', clusterId, ...javaCommand(jars, heapMb)];
  const { child, exited } = startGuarded('sh', ['-c', guardProgram, 'guard', ...guardArgs], log);
  return {
    exited,
    terminate: () => child.kill('SIGTERM'),
    kill: () => killGroup(child),
  };
}
