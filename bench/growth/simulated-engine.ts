import { setTimeout as sleep } from 'node:timers/promises';
import { SerialQueue } from '../../core/serial.js';
import type { Engine, EngineResult, EngineTensor, LoadedModel } from '../../consumers/engine/engine.js';

const CLASSES = 10;

/**
 * Simulates a model on an accelerator: each batch takes a fixed time without using the processor. The output of a row is its
 * first ten numbers.
 */
export function simulatedEngine(serviceMs: number): Engine {
  return {
    threads: 1,
    coreChoices: [1],
    load: () => Promise.resolve(simulatedModel(serviceMs)),
    close: () => Promise.resolve(),
  };
}

function simulatedModel(serviceMs: number): LoadedModel {
  const turns = new SerialQueue();
  return {
    signature: {
      inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, -1] }],
      outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, CLASSES] }],
    },
    backend: 'onnxruntime',
    loadMs: 0,
    run: (inputs) =>
      turns.run(async () => {
        if (serviceMs > 0) await sleep(serviceMs);
        return answer(inputs, serviceMs);
      }),
    threads: 1,
    isInline: false,
    replicateToAllThreads: () => Promise.resolve(),
    shrinkToOneThread: () => Promise.resolve(),
    moveInline: () => Promise.resolve(),
    unload: () => Promise.resolve(),
  };
}

function answer([input]: readonly EngineTensor[], serviceMs: number): EngineResult {
  const [rows = 0, width = 0] = input?.shape ?? [];
  const given = new Float32Array(input?.data.buffer ?? new ArrayBuffer(0));
  const taken = new Float32Array(rows * CLASSES);
  for (let row = 0; row < rows; row++)
    taken.set(given.subarray(row * width, row * width + CLASSES), row * CLASSES);
  const data = new Uint8Array(taken.buffer);
  const output = { name: 'probabilities', datatype: 'FP32' as const, shape: [rows, CLASSES], data };
  return { outputs: [output], computeMicros: serviceMs * 1_000 };
}
