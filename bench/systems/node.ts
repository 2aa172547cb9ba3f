import { join } from 'node:path';
import type { KafkaClientName } from '../../core/config/kafka.js';
import { startNodeProcess } from '../../local-cluster/role-process.js';
import { addressOf, type System } from './system.js';

export const ENGINES = ['tensorflow', 'onnx'] as const;
export type EngineName = (typeof ENGINES)[number];

/**
 * Runs one node with its defaults: nothing is tuned for a workload.
 * @param prefix of existing topics; default: a new one
 */
export function partituraNode(client: KafkaClientName, engine: EngineName, prefix?: string): System {
  return {
    name: `partitura-${client}-${engine}`,
    wireFormat: 'avro',
    async start(harness, model) {
      const config = harness.config({
        prefix: prefix ?? harness.ownPrefix(),
        kafkaClient: client,
        models: join(harness.modelsFolder, `${engine}-${model}`),
      });
      const node = await startNodeProcess(config, { log: () => undefined });
      return {
        pid: node.pid,
        address: addressOf(config.prefix, model),
        async stop() {
          await node.stop();
        },
      };
    },
  };
}
