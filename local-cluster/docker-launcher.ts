import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { startGuarded } from './broker-process.js';
import { javaCommand, guardProgram } from './process-guard.js';
import type { BrokerLauncher, BrokerProcess, Launch } from './launcher.js';
import { loopback } from './ports.js';

const folderInContainer = '/data';
const jarsInImage = '/opt/kafka/libs';
/** Created while our image is built; apache/kafka has one of this name, too. */
export const ARCHIVE_IN_IMAGE = '/opt/kafka/kafka.jsa';

/** Returns true if a Docker daemon answers within a few seconds. */
export function isDockerAvailable(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/**
 * Creates a launcher for an image with Java on its PATH and Kafka's jars under /opt/kafka/libs, such as apache/kafka.
 */
export function dockerLauncher(image: string): BrokerLauncher {
  return {
    kind: 'docker',
    bindHost: '0.0.0.0',
    folderSeenByBroker: () => folderInContainer,
    launch: (launch) => launchContainer(image, launch),
  };
}

/** Launches a container. The attached client forwards our pipe, so that the guard inside ends with this process. */
function launchContainer(
  image: string,
  { dataDir, disposable, clusterId, port, heapMb, log }: Launch,
): BrokerProcess {
  const name = `partitura-kafka-${randomUUID()}`;
  const { uid, gid } = userInfo();
  const access = ['--publish', `${loopback}:${port}:${port}`, '--volume', `${dataDir}:${folderInContainer}`];
  const options = [
    '--rm',
    '--interactive',
    '--name',
    name,
    '--user',
    `${uid}:${gid}`,
    ...access,
    '--entrypoint',
    'sh',
  ];
  // Inside the container, the guard can empty the mounted folder but not remove it.
  const guardArgs = [
    folderInContainer,
    disposable ? folderInContainer : '',
    clusterId,
    '',
    ...javaCommand(jarsInImage, heapMb, ARCHIVE_IN_IMAGE),
  ];
  const args = ['run', ...options, image, '-c', guardProgram, 'guard', ...guardArgs];
  const { child, exited } = startGuarded('docker', args, log);
  return {
    exited,
    terminate: () => child.kill('SIGTERM'),
    kill: () => void spawn('docker', ['kill', name], { stdio: 'ignore' }),
  };
}
