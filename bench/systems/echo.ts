import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { modelTopics } from '../../cluster/topic-specs.js';
import { toEnvironment } from '../../core/config/config.js';
import type { KafkaClientName } from '../../core/config/kafka.js';
import { NURSERY } from '../../local-cluster/role-process.js';
import { addressOf, stopChild, untilReady, type System } from './system.js';

const ECHO_MODEL = 'echo';
const PROCESS = fileURLToPath(new URL('./echo-process.js', import.meta.url));

/** Baseline of a Kafka client: returns every request unchanged, through the same port and coalescing as a node. */
export function echo(client: KafkaClientName): System {
  const name = `echo-${client}`;
  return {
    name,
    wireFormat: 'echo',
    async start(harness) {
      const config = harness.config({ prefix: harness.ownPrefix(), kafkaClient: client });
      await harness.createTopics(modelTopics(ECHO_MODEL, config));
      const child = fork(PROCESS, {
        env: { ...process.env, ...toEnvironment(config) },
        execArgv: [...process.execArgv, NURSERY],
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      await untilReady(child, name, (line) => line === 'ready');
      const address = addressOf(config.prefix, ECHO_MODEL);
      return { pid: child.pid ?? 0, address, stop: () => stopChild(child) };
    },
  };
}
