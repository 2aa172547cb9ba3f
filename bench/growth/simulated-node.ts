import { fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toEnvironment, type ConfigInput } from '../../core/config/config.js';
import type { BenchHarness } from '../harness.js';
import { addressOf, stopChild, untilReady, type RunningSystem } from '../systems/system.js';

const PROCESS = fileURLToPath(new URL('./simulated-node-process.js', import.meta.url));

/** Starts a node whose model takes `serviceMs` per batch of any size. */
export async function startSimulatedNode(
  harness: BenchHarness,
  serviceMs: number,
  different: ConfigInput = {},
): Promise<RunningSystem> {
  const models = join(harness.modelsFolder, 'onnx-digits');
  const config = harness.config({ models, ...different });
  const child = fork(PROCESS, [String(serviceMs)], {
    env: { ...process.env, ...toEnvironment(config) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  await untilReady(child, 'a simulated node', (line) => line === 'ready');
  const address = addressOf(config.prefix, 'digits');
  return { pid: child.pid ?? 0, address, stop: () => stopChild(child) };
}
