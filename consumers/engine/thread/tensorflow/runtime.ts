import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as TensorFlow from '@tensorflow/tfjs';
import type { BackendChoice } from '../../options.js';
import type { Binding } from '../binding.js';
import { unservableModel } from '../refusals.js';

/** TensorFlow.js with its backend. */
export interface TensorFlowRuntime {
  readonly backend: 'tensorflow' | 'wasm';
  readonly tf: typeof TensorFlow;
  /** Native library; absent on WebAssembly. */
  readonly binding?: Binding;
  /** Reason for the fallback from TensorFlow to WebAssembly. */
  readonly fallbackReason?: string;
}

const require = createRequire(import.meta.url);

/** @throws PartituraError MODEL_FAILED if the chosen backend is unavailable; `auto` falls back instead */
export async function startTensorFlowRuntime(choice: BackendChoice): Promise<TensorFlowRuntime> {
  if (choice === 'wasm') return startWasm();
  try {
    return startTensorFlow();
  } catch (error) {
    if (choice === 'tensorflow')
      throw unservableModel(
        `the TensorFlow library cannot be loaded (${firstLine(error)})`,
        'install it with npm run setup',
      );
    return { ...(await startWasm()), fallbackReason: firstLine(error) };
  }
}

function startTensorFlow(): TensorFlowRuntime {
  restoreIsNullOrUndefined();
  const tf = require('@tensorflow/tfjs-node') as typeof TensorFlow;
  const { binding } = tf.backend() as unknown as { binding: Binding };
  return { backend: 'tensorflow', tf, binding };
}

/** Restores a helper that tfjs-node still calls and Node 23 removed. */
function restoreIsNullOrUndefined(): void {
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

async function startWasm(): Promise<TensorFlowRuntime> {
  const tf = require('@tensorflow/tfjs') as typeof TensorFlow;
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(
    join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist', '/'),
  );
  if (!(await tf.setBackend('wasm')))
    throw new Error('the WebAssembly backend of TensorFlow.js did not start');
  return { backend: 'wasm', tf };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}
