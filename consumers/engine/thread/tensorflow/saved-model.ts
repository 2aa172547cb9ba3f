import type { SignatureNames } from '../../engine.js';
import type { Binding, NativeTensor } from '../binding.js';
import { execute } from '../binding.js';
import { elementsOf, joinBytes, ownBuffer } from '../elements.js';
import type { Tensors } from '../messages.js';
import type { ThreadModel } from '../model.js';
import { unservableModel } from '../refusals.js';
import type { TensorFlowRuntime } from './runtime.js';
import type { SavedModelSession, SavedModelSessions } from './saved-model-sessions.js';
import { readSavedSignature, type SavedSignature, type SavedTensor } from './saved-model-signature.js';
import { DT_INT32, DT_STRING, DT_UINT8 } from './saved-model-types.js';
import { deletesForeignStrings } from '../string-ownership.js';

/**
 * Loads one signature of a SavedModel.
 * @param signatureName signature to load; the default one if undefined
 * @throws PartituraError MODEL_FAILED with a remedy if the model cannot be served
 */
export async function loadSavedModel(
  { binding }: TensorFlowRuntime,
  sessions: SavedModelSessions,
  directory: string,
  signatureName: string | undefined,
): Promise<ThreadModel> {
  if (!binding) throw noNativeLibrary();
  const signature = await readSavedSignature(directory, signatureName);
  requireSafeStrings(binding, signature);
  return new SavedModel(binding, sessions.open(binding, directory, signature.tags), signature);
}

function noNativeLibrary(): Error {
  return unservableModel(
    'a SavedModel needs the TensorFlow library, and only the WebAssembly backend is running',
    'install the library with npm run setup, or convert the model with tensorflowjs_converter --output_format=tfjs_graph_model',
  );
}

function requireSafeStrings(binding: Binding, signature: SavedSignature): void {
  const text = signature.outputs.find((output) => output.dt === DT_STRING);
  if (!text || !deletesForeignStrings(binding)) return;
  throw unservableModel(
    `output '${text.name}' is BYTES, and this build of TensorFlow's addon frees strings that the model still uses`,
    'rebuild the addon with npm run setup',
  );
}

/** One signature in a TensorFlow session. Calls use ids and names instead of tensor objects and copy each output once. */
class SavedModel implements ThreadModel {
  readonly backend = 'tensorflow';
  readonly #inputNodes: string;
  readonly #outputNodes: string;
  readonly signatureNames: SignatureNames;

  constructor(
    readonly binding: Binding,
    readonly session: SavedModelSession,
    readonly signature: SavedSignature,
  ) {
    this.signatureNames = signature.names;
    this.#inputNodes = signature.inputs.map((input) => input.node).join(',');
    this.#outputNodes = signature.outputs.map((output) => output.node).join(',');
  }

  run(inputs: Tensors): Tensors {
    const ids: number[] = [];
    try {
      this.signature.inputs.forEach((input, index) => ids.push(this.#create(input, inputs, index)));
      return this.#read(
        this.binding.runSavedModel(this.session.id, ids, this.#inputNodes, this.#outputNodes),
      );
    } finally {
      for (const id of ids) this.binding.deleteTensor(id);
    }
  }

  dispose(): void {
    this.session.release();
  }

  #create(input: SavedTensor, { shapes, buffers }: Tensors, index: number): number {
    const shape = shapes[index];
    const buffer = buffers[index];
    if (!shape || !buffer) throw new Error(`input '${input.name}' is missing`);
    return this.binding.createTensor(shape, input.dt, nativeValues(input, shape, buffer));
  }

  /** Copies outputs before any tensor is deleted: an output may share its memory with an input. */
  #read(outputs: readonly NativeTensor[]): Tensors {
    try {
      return {
        shapes: outputs.map((output) => output.shape),
        buffers: outputs.map((output) => this.#bytesOf(output)),
      };
    } finally {
      for (const output of outputs) this.binding.deleteTensor(output.id);
    }
  }

  #bytesOf({ id, dtype }: NativeTensor): ArrayBuffer {
    if (dtype === DT_UINT8) return this.#bytesOfUint8(id);
    const values = this.binding.tensorDataSync(id);
    return Array.isArray(values) ? joinBytes(values) : ownBuffer(values);
  }

  /** Reads UINT8, which the native library cannot, by casting it to INT32. */
  #bytesOfUint8(id: number): ArrayBuffer {
    const { binding } = this;
    const wide = execute(binding, 'Cast', id, [
      { name: 'SrcT', type: binding.TF_ATTR_TYPE, value: DT_UINT8 },
      { name: 'DstT', type: binding.TF_ATTR_TYPE, value: DT_INT32 },
      { name: 'Truncate', type: binding.TF_ATTR_BOOL, value: false },
    ]);
    try {
      return new Uint8Array(binding.tensorDataSync(wide) as Int32Array).buffer;
    } finally {
      binding.deleteTensor(wide);
    }
  }
}

function nativeValues(
  input: SavedTensor,
  shape: readonly number[],
  buffer: ArrayBuffer,
): Float32Array | Int32Array | Uint8Array | Uint8Array[] {
  switch (input.datatype) {
    case 'FP32':
      return new Float32Array(buffer);
    case 'INT32':
    case 'INT64':
      return new Int32Array(buffer);
    case 'BYTES':
      return elementsOf(buffer, shape);
    default:
      return new Uint8Array(buffer);
  }
}
