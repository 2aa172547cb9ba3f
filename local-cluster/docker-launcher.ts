import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { startGuarded } from './broker-process.js';
import { javaCommand, guardProgram } from './process-guard.js';
import type { BrokerLauncher, BrokerProcess, Launch } from './launcher.js';
import { loopback } from './ports.js';

const folderInContainer = '/data';
const jarsInImage = '/opt/kafka/libs';

/** Whether a Docker daemon answers within a few seconds. */
export function isDockerThere(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** `image`: one with Java on its PATH and Kafka's jars under /opt/kafka/libs, as apache/kafka has. */
export function dockerLauncher(image: string): BrokerLauncher {
  return {
    kind: 'docker',
    bindHost: '0.0.0.0',
    folderSeenByBroker: () => folderInContainer,
    launch: (launch) => launchContainer(image, launch),
  };
}

/** The attached client hands our pipe on to the container, so the keeper inside ends when we do, as it does without Docker. */
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
  // From inside, the keeper of an orphan can empty the mounted folder but not remove it.
  const keeperArgs = [
    folderInContainer,
    disposable ? folderInContainer : '',
    clusterId,
    ...javaCommand(jarsInImage, heapMb),
  ];
  const args = ['run', ...options, image, '-c', guardProgram, 'keeper', ...keeperArgs];
  const { child, exited } = startGuarded('docker', args, log);
  return {
    exited,
    terminate: () => child.kill('SIGTERM'),
    kill: () => void spawn('docker', ['kill', name], { stdio: 'ignore' }),
  };
}
