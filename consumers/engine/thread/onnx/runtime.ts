import { createRequire } from 'node:module';
import { refusal } from '../refusals.js';

/**
 * The native half of onnxruntime-node. Its calls are synchronous; the JavaScript half only puts each off with
 * `setImmediate`, which in a thread of its own is a turn of the event loop for nothing.
 */
export interface OnnxBinding {
  readonly InferenceSession: new () => OnnxSession;
}

export interface OnnxSession {
  /** Reads the file, and files of external data beside it. */
  loadModel(file: string, options: object): void;
  /** Reads a model in memory; it cannot have external data. */
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  readonly inputMetadata: readonly OnnxValueInfo[];
  readonly outputMetadata: readonly OnnxValueInfo[];
  /** Copies outputs into buffers of their own; only the outputs that `fetches` has keys for are computed. */
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches: Readonly<Record<string, null>>,
    options: object,
  ): Record<string, OnnxTensor>;
  dispose(): void;
}

export interface OnnxValueInfo {
  readonly name: string;
  /** False for sequences, maps and optional values, which have no more than a name. */
  readonly isTensor: boolean;
  /** Number of `TensorProto.DataType`. */
  readonly type?: number;
  /** Names of the dimensions, empty where one has none. */
  readonly symbolicDimensions?: readonly string[];
  /** Empty for a scalar and where the model does not say; -1 is an unknown dimension. */
  readonly shape?: readonly number[];
}

/** What the native half takes and gives; strings as they are in JavaScript. */
export interface OnnxTensor {
  readonly type: string;
  readonly data: NodeJS.TypedArray | readonly string[];
  readonly dims: readonly number[];
  readonly location: 'cpu';
}

interface BindingModule {
  readonly binding: OnnxBinding;
  readonly initOrt: () => void;
}

const require = createRequire(import.meta.url);
let started: OnnxBinding | undefined;

/** @throws PartituraError MODEL_FAILED where there is no binary for this kind of machine */
export function onnxBinding(): OnnxBinding {
  started ??= start();
  return started;
}

function start(): OnnxBinding {
  try {
    const { binding, initOrt } = require('onnxruntime-node/dist/binding.js') as BindingModule;
    initOrt();
    return binding;
  } catch (cause) {
    throw noBinary(cause);
  }
}

function noBinary(cause: unknown): Error {
  const [reason] = String(cause instanceof Error ? cause.message : cause).split('\n', 1);
  return refusal(
    `ONNX Runtime can't be loaded on ${process.platform} ${process.arch} (${reason})`,
    'serve the model on a platform that onnxruntime-node has binaries for, or as a SavedModel',
  );
}
