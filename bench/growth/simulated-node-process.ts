import { startNode } from '../../consumers/node/start-node.js';
import { checkConfig, fromEnvironment } from '../../core/config/config.js';
import { createKafkaClient } from '../../kafka/client.js';
import { createLogger } from '../../core/log.js';
import { simulatedEngine } from './simulated-engine.js';

/** Runs a complete node with a simulated engine. Run by the benchmark as a child process; its argument is the service time. */
const config = checkConfig(fromEnvironment(process.env));
const log = createLogger('bench', config.logLevel);
const engine = simulatedEngine(Number(process.argv[2]));
const node = await startNode(config, createKafkaClient(config, 'bench-node', log), log, {
  startEngine: () => Promise.resolve(engine),
});
process.stdout.write('ready\n');
const end = (): void => void node.close().finally(() => process.exit(0));
process.once('SIGTERM', end);
process.once('disconnect', end);
