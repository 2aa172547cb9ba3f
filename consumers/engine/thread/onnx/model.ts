import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CallGuard } from '../../call-guard.js';
import type { ModelSignature, TensorSpec } from '../../engine.js';
import { ownBuffer } from '../elements.js';
import type { Tensors } from '../messages.js';
import type { ThreadModel } from '../model.js';
import { onnxBinding, type OnnxSession, type OnnxTensor } from './runtime.js';
import { onnxReason } from './reason.js';
import { onnxSignature } from './signature.js';
import { joinTexts, textsOf } from './strings.js';
import { ONNX_TYPES } from './types.js';
import { withoutZipMap } from './zip-map.js';

export const ONNX_FILE = 'model.onnx';

/** A session and the column labels of its outputs, if any. */
interface OpenSession {
  readonly session: OnnxSession;
  readonly labels?: ReadonlyMap<string, readonly string[]>;
}

/**
 * Loads an ONNX model.
 * @param cores number of cores that one operation may use
 * @throws PartituraError MODEL_FAILED with a remedy if the model cannot be served
 */
export function loadOnnxModel(directory: string, cores: number, guard: CallGuard): ThreadModel {
  const { session, labels } = openSession(join(directory, ONNX_FILE), cores, guard);
  try {
    return new OnnxModel(
      session,
      guard.pass(() => onnxSignature(session, labels)),
      cores,
      guard,
    );
  } catch (error) {
    guard.pass(() => session.dispose());
    throw error;
  }
}

/** Opens the model, removing ZipMap operators if they make outputs anything but tensors. */
function openSession(file: string, cores: number, guard: CallGuard): OpenSession {
  const session = loadSession(guard, (session) => session.loadModel(file, sessionOptions(cores)));
  if (guard.pass(() => session.outputMetadata.every(({ isTensor }) => isTensor))) return { session };
  const unzipped = withoutZipMap(readFileSync(file));
  if (!unzipped) return { session };
  guard.pass(() => session.dispose());
  const { buffer, byteOffset, byteLength } = unzipped.model;
  const options = sessionOptions(cores);
  return {
    session: loadSession(guard, (session) => session.loadModel(buffer, byteOffset, byteLength, options)),
    labels: unzipped.labels,
  };
}

function loadSession(guard: CallGuard, load: (session: OnnxSession) => void): OnnxSession {
  const { InferenceSession } = onnxBinding();
  const session = guard.pass(() => new InferenceSession());
  try {
    guard.pass(() => load(session));
    return session;
  } catch (error) {
    throw new Error(`${ONNX_FILE} cannot be loaded: ${onnxReason(error)}`, { cause: error });
  }
}

/**
 * Returns session options: idle cores sleep, because spinning would starve the event loop; errors are thrown, not printed.
 */
function sessionOptions(cores: number): object {
  return {
    intraOpNumThreads: cores,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: FATAL,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  };
}

const FATAL = 4;
const RUN_OPTIONS = { logSeverityLevel: FATAL };

/** One session of ONNX Runtime. */
class OnnxModel implements ThreadModel {
  readonly backend = 'onnxruntime';
  readonly #fetches: Readonly<Record<string, null>>;

  constructor(
    readonly session: OnnxSession,
    readonly signature: ModelSignature,
    readonly cores: number,
    readonly guard: CallGuard,
  ) {
    this.#fetches = Object.fromEntries(signature.outputs.map(({ name }) => [name, null]));
  }

  run(inputs: Tensors): Tensors {
    const feeds: Record<string, OnnxTensor> = {};
    this.signature.inputs.forEach((input, index) => (feeds[input.name] = onnxTensor(input, inputs, index)));
    const results = this.#compute(feeds);
    const outputs = this.signature.outputs.map(({ name }) => results[name] as OnnxTensor);
    return { shapes: outputs.map(({ dims }) => dims), buffers: outputs.map(bytesOf) };
  }

  dispose(): void {
    this.guard.pass(() => this.session.dispose());
  }

  #compute(feeds: Readonly<Record<string, OnnxTensor>>): Record<string, OnnxTensor> {
    try {
      return this.guard.pass(() => this.session.run(feeds, this.#fetches, RUN_OPTIONS));
    } catch (error) {
      throw new Error(onnxReason(error), { cause: error });
    }
  }
}

function onnxTensor({ name, datatype }: TensorSpec, { shapes, buffers }: Tensors, index: number): OnnxTensor {
  const shape = shapes[index];
  const buffer = buffers[index];
  if (!shape || !buffer) throw new Error(`input '${name}' is missing`);
  const { name: type, view } = ONNX_TYPES[datatype];
  return { type, data: view ? view(buffer) : textsOf(name, buffer, shape), dims: shape, location: 'cpu' };
}

/** Returns an output's bytes without a copy: ONNX Runtime's addon has copied outputs into JavaScript buffers already. */
function bytesOf({ data }: OnnxTensor): ArrayBuffer {
  return isTexts(data) ? joinTexts(data) : ownBuffer(data);
}

function isTexts(data: OnnxTensor['data']): data is readonly string[] {
  return Array.isArray(data);
}
