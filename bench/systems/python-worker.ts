import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { avroReplyPrefix } from '../workloads.js';
import { addressOf, stopChild, untilReady, type System } from './system.js';

const SCRIPT = fileURLToPath(new URL('../../../bench/python/worker.py', import.meta.url));

/**
 * Runs a worker as a team would write it with confluent-kafka, fastavro and TensorFlow.
 * @param waitMs time to poll for a batch; 0 polls without waiting and sends immediately
 */
export function pythonWorker(name: string, waitMs: number): System {
  return {
    name,
    wireFormat: 'avro',
    async start(harness, model) {
      const { python, brokers, modelsFolder, partitions } = harness;
      const { requestTopic, replyTopic } = addressOf(harness.ownPrefix(), model);
      await harness.createTopics(
        [requestTopic, replyTopic].map((topic) => ({ topic, partitions, replicationFactor: 1 })),
      );
      const savedModel = join(modelsFolder, `tensorflow-${model}`, model, '1');
      const prefix = avroReplyPrefix().toString('hex');
      const child = spawn(python, [SCRIPT, brokers, requestTopic, savedModel, prefix, String(waitMs)]);
      await untilReady(child, name, (line) => line === 'ready');
      return { pid: child.pid ?? 0, address: { requestTopic, replyTopic }, stop: () => stopChild(child) };
    },
  };
}
