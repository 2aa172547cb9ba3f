import { createRequire } from 'node:module';
import { unservableModel } from '../refusals.js';

/**
 * The native addon of onnxruntime-node. Its calls are synchronous; the JavaScript layer only defers each one with
 * `setImmediate`, which wastes an event loop iteration in a dedicated thread.
 */
export interface OnnxBinding {
  readonly InferenceSession: new () => OnnxSession;
}

export interface OnnxSession {
  /** Reads the file and its external data files. */
  loadModel(file: string, options: object): void;
  /** Reads a model from memory; external data is not supported. */
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: object): void;
  readonly inputMetadata: readonly OnnxValueInfo[];
  readonly outputMetadata: readonly OnnxValueInfo[];
  /** Computes the outputs that are keys of `fetches` and copies each into a buffer of its own. */
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches: Readonly<Record<string, null>>,
    options: object,
  ): Record<string, OnnxTensor>;
  dispose(): void;
}

export interface OnnxValueInfo {
  readonly name: string;
  /** False for sequences, maps and optional values, which have only a name. */
  readonly isTensor: boolean;
  /** `TensorProto.DataType` number. */
  readonly type?: number;
  /** Dimension names, with empty strings for unnamed dimensions. */
  readonly symbolicDimensions?: readonly string[];
  /** Empty for a scalar or an undeclared shape; -1 is an unknown dimension. */
  readonly shape?: readonly number[];
}

/** Tensor as passed to and returned by the addon, with strings as JavaScript strings. */
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

/** Loads the addon once. @throws PartituraError MODEL_FAILED if there is no binary for this platform */
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
  return unservableModel(
    `ONNX Runtime cannot be loaded on ${process.platform} ${process.arch} (${reason})`,
    'serve the model on a platform with onnxruntime-node binaries, or as a SavedModel',
  );
}
