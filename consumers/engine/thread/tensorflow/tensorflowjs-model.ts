import type { GraphModel, NamedTensorMap, Tensor } from '@tensorflow/tfjs';
import type { Datatype } from '../../../../schemas/datatypes.js';
import type { ModelSignature } from '../../engine.js';
import { elementsOf, joinBytes, ownBuffer } from '../elements.js';
import type { Tensors } from '../messages.js';
import type { ThreadModel } from '../model.js';
import type { TensorFlowRuntime } from './runtime.js';
import { filesOf } from './tensorflowjs-files.js';
import { graphSignature, layersSignature } from './tensorflowjs-signature.js';

type DataValues = Float32Array | Int32Array | Uint8Array | Uint8Array[];
type Compute = (inputs: Tensor[]) => Tensor[] | Promise<Tensor[]>;

/** TensorFlow.js names of the data types that a signature can declare. */
const DTYPES = { FP32: 'float32', INT32: 'int32', BOOL: 'bool', BYTES: 'string' } as const;
type ComputedDatatype = keyof typeof DTYPES;

/** Loads a graph model, as converted by `tensorflowjs_converter`. */
export async function loadGraphModel(runtime: TensorFlowRuntime, directory: string): Promise<ThreadModel> {
  const model = await runtime.tf.loadGraphModel(filesOf(runtime, directory));
  const signature = graphSignature(model);
  return new TensorFlowJsModel(runtime, signature, graphCompute(model, signature), () => model.dispose());
}

/** Loads a layers model, trained with TensorFlow.js or converted from Keras. */
export async function loadLayersModel(runtime: TensorFlowRuntime, directory: string): Promise<ThreadModel> {
  const model = await runtime.tf.loadLayersModel(filesOf(runtime, directory));
  const compute: Compute = (inputs) => asList(model.predictOnBatch(inputs));
  return new TensorFlowJsModel(runtime, layersSignature(model), compute, () => void model.dispose());
}

/**
 * Runs a graph synchronously, unless it has loops or data-dependent shapes, which need the slower asynchronous execution.
 */
function graphCompute(model: GraphModel, signature: ModelSignature): Compute {
  const inputNames = signature.inputs.map((input) => input.name);
  const outputNames = signature.outputs.map((output) => output.name);
  let needsAsync = false;
  return async (tensors) => {
    const inputs: NamedTensorMap = Object.fromEntries(
      inputNames.flatMap((name, index) => (tensors[index] ? [[name, tensors[index]]] : [])),
    );
    if (!needsAsync) {
      try {
        return asList(model.execute(inputs, outputNames));
      } catch (error) {
        needsAsync = requiresAsync(error);
        if (!needsAsync) throw error;
      }
    }
    return asList(await model.executeAsync(inputs, outputNames));
  };
}

function requiresAsync(error: unknown): boolean {
  return error instanceof Error && error.message.includes('executeAsync()');
}

function asList(tensors: Tensor | Tensor[]): Tensor[] {
  return Array.isArray(tensors) ? tensors : [tensors];
}

class TensorFlowJsModel implements ThreadModel {
  readonly backend: 'tensorflow' | 'wasm';
  declare readonly fallbackReason?: string;

  constructor(
    readonly runtime: TensorFlowRuntime,
    readonly signature: ModelSignature,
    readonly compute: Compute,
    readonly dispose: () => void,
  ) {
    this.backend = runtime.backend;
    if (runtime.fallbackReason !== undefined) this.fallbackReason = runtime.fallbackReason;
  }

  async run({ shapes, buffers }: Tensors): Promise<Tensors> {
    const inputs: Tensor[] = [];
    let outputs: Tensor[] = [];
    try {
      this.signature.inputs.forEach(({ datatype }, index) =>
        inputs.push(this.#create(datatype, shapes[index], buffers[index])),
      );
      outputs = await this.compute(inputs);
      return this.#read(outputs);
    } finally {
      this.runtime.tf.dispose([...inputs, ...outputs]);
    }
  }

  #create(datatype: Datatype, shape: readonly number[] | undefined, buffer: ArrayBuffer | undefined): Tensor {
    if (!shape || !buffer) throw new Error('an input is missing');
    // The declared type omits byte arrays, in which every backend stores strings.
    const values = valuesOf(datatype, shape, buffer) as Float32Array;
    return this.runtime.tf.engine().makeTensor(values, [...shape], DTYPES[datatype as ComputedDatatype]);
  }

  #read(outputs: readonly Tensor[]): Tensors {
    return {
      shapes: outputs.map((output) => output.shape),
      buffers: outputs.map((output) => this.#bytesOf(output)),
    };
  }

  /**
   * Reads an output through the backend, because `dataSync` decodes strings as UTF-8 and corrupts other bytes, and copies
   * it, because a model may return an input's own memory.
   */
  #bytesOf(output: Tensor): ArrayBuffer {
    const values = this.runtime.tf.backend().readSync(output.dataId);
    return Array.isArray(values) ? joinBytes(values) : ownBuffer(values.slice());
  }
}

function valuesOf(datatype: Datatype, shape: readonly number[], buffer: ArrayBuffer): DataValues {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    case 'BYTES':
      return elementsOf(buffer, shape);
    default:
      return new Uint8Array(buffer);
  }
}
