import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../local-cluster/ports.js';
import type { BenchHarness } from '../harness.js';
import type { ModelName } from '../workloads.js';
import { addressOf, stopChild, untilReady, type RunningSystem, type System } from './system.js';

export const MLSERVER_RUNTIME = fileURLToPath(new URL('../../../bench/python/', import.meta.url));
const BATCHING = { max_batch_size: 64, max_batch_time: 0.005 };

/** Logs only the start, since a log line per message would affect the measurement. */
export const MLSERVER_LOGGING = {
  version: 1,
  disable_existing_loggers: false,
  filters: { start: { '()': 'mlserver_runtime.OnlyStartMessages' } },
  handlers: { console: { class: 'logging.StreamHandler' } },
  loggers: {
    mlserver: { level: 'WARNING', handlers: ['console'] },
    'mlserver.kafka': { level: 'INFO', filters: ['start'] },
    'mlserver.grpc': { level: 'INFO', filters: ['start'] },
  },
};
const START = 'from mlserver.cli import main; main()';

/** MLServer with its Kafka handler and adaptive batching, in one process, serving the same SavedModel with a custom runtime. */
export const mlserver: System = {
  name: 'mlserver',
  wireFormat: 'json',
  async start(harness, model) {
    const { requestTopic, replyTopic } = addressOf(harness.ownPrefix(), model);
    const { partitions } = harness;
    await harness.createTopics(
      [requestTopic, replyTopic].map((topic) => ({ topic, partitions, replicationFactor: 1 })),
    );
    const folder = mkdtempSync(join(tmpdir(), 'partitura-mlserver-'));
    await writeSettings(folder, harness, model, { requestTopic, replyTopic });
    const child = spawn(harness.python, ['-c', START, 'start', folder], {
      cwd: folder,
      env: { ...process.env, PYTHONPATH: MLSERVER_RUNTIME },
    });
    await untilReady(child, 'mlserver', (line) => line.includes('Reading messages from consumer'));
    return {
      pid: child.pid ?? 0,
      address: { requestTopic, replyTopic, match: 'key', header: `mlserver-model:${model}` },
      async stop() {
        await stopChild(child);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

async function writeSettings(
  folder: string,
  { brokers, modelsFolder }: BenchHarness,
  model: ModelName,
  { requestTopic, replyTopic }: RunningSystem['address'],
): Promise<void> {
  const settings = {
    parallel_workers: 0,
    http_port: await freePort(),
    grpc_port: await freePort(),
    metrics_endpoint: null,
    kafka_enabled: true,
    kafka_servers: brokers,
    kafka_topic_input: requestTopic,
    kafka_topic_output: replyTopic,
    logging_settings: MLSERVER_LOGGING,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'model-settings.json'), JSON.stringify(mlserverModel(model, modelsFolder)));
}

/** Returns the settings of a model: the SavedModel in our runtime, with adaptive batching. */
export function mlserverModel(model: ModelName, modelsFolder: string): object {
  const uri = join(modelsFolder, `tensorflow-${model}`, model, '1');
  return { name: model, implementation: 'mlserver_runtime.SavedModel', parameters: { uri }, ...BATCHING };
}
