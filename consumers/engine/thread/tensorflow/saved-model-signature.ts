import { createRequire } from 'node:module';
import type { ModelSignature, SignatureNames, TensorSpec } from '../../engine.js';
import { unservableModel } from '../refusals.js';
import { servedDatatype, typeName } from './saved-model-types.js';

/** A tensor of the signature with its graph node. */
export interface SavedTensor extends TensorSpec {
  /** Graph node and output index, such as `serving_default_x:0`. */
  readonly node: string;
  readonly dt: number;
}

/** A signature read from `saved_model.pb`. */
export interface SavedSignature extends ModelSignature {
  readonly names: SignatureNames;
  /** Tags of the signature's graph, comma-separated as the native library expects them. */
  readonly tags: string;
  readonly inputs: readonly SavedTensor[];
  readonly outputs: readonly SavedTensor[];
}

interface ProtoMap<T> {
  keys(): Iterator<string>;
  get(key: string): T | undefined;
}

interface ProtoTensorInfo {
  getName(): string;
  getDtype(): number;
  getTensorShape(): { getUnknownRank(): boolean; getDimList(): { getSize(): number }[] } | undefined;
}

interface ProtoSignature {
  getInputsMap(): ProtoMap<ProtoTensorInfo>;
  getOutputsMap(): ProtoMap<ProtoTensorInfo>;
}

interface ProtoGraph {
  getMetaInfoDef(): { getTagsList(): string[] };
  getSignatureDefMap(): ProtoMap<ProtoSignature>;
}

interface SavedModelReader {
  readSavedModelProto(directory: string): Promise<{ getMetaGraphsList(): ProtoGraph[] }>;
}

const SERVING_TAG = 'serve';
const SERVING_SIGNATURE = 'serving_default';
const INIT_OP = '__saved_model_init_op';
const UNKNOWN_DIMENSION = -1;

const require = createRequire(import.meta.url);

/**
 * Reads a signature. Tensors are sorted by name, because the file stores them in an unordered map.
 * @param wanted name of the signature; by default `serving_default`, or the only one
 * @throws PartituraError MODEL_FAILED with a remedy if there is no usable signature
 */
export async function readSavedSignature(directory: string, wanted?: string): Promise<SavedSignature> {
  const reader = require('@tensorflow/tfjs-node/dist/saved_model.js') as SavedModelReader;
  const graphs = (await reader.readSavedModelProto(directory)).getMetaGraphsList();
  const graph = servingGraph(graphs);
  const signatures = graph.getSignatureDefMap();
  const all = keysOf(signatures)
    .filter((name) => name !== INIT_OP)
    .sort();
  const loaded = wanted ?? defaultSignature(all);
  const signature = all.includes(loaded) ? signatures.get(loaded) : undefined;
  if (!signature) throw noSignature(loaded, all);
  return {
    names: { loaded, all },
    tags: graph.getMetaInfoDef().getTagsList().join(','),
    inputs: readTensors(signature.getInputsMap(), 'input'),
    outputs: readTensors(signature.getOutputsMap(), 'output'),
  };
}

function servingGraph(graphs: readonly ProtoGraph[]): ProtoGraph {
  const tagged = graphs.find((graph) => graph.getMetaInfoDef().getTagsList().includes(SERVING_TAG));
  const graph = tagged ?? (graphs.length === 1 ? graphs[0] : undefined);
  if (graph) return graph;
  throw unservableModel(
    `none of its ${graphs.length} graphs is tagged '${SERVING_TAG}'`,
    'export it for serving, as model.export does',
  );
}

function defaultSignature(names: readonly string[]): string {
  const [only] = names;
  return only !== undefined && names.length === 1 ? only : SERVING_SIGNATURE;
}

function noSignature(wanted: string, names: readonly string[]): Error {
  return unservableModel(
    `expected a signature '${wanted}', got ${names.join(', ') || 'none'}`,
    names.length === 0
      ? `export the model with signatures={'${SERVING_SIGNATURE}': …}`
      : 'set `signature` in model.yaml to the default one',
  );
}

function readTensors(tensors: ProtoMap<ProtoTensorInfo>, role: 'input' | 'output'): SavedTensor[] {
  return keysOf(tensors)
    .sort()
    .flatMap((name) => {
      const info = tensors.get(name);
      return info ? [readTensor(name, info, `${role} '${name}'`, role)] : [];
    });
}

function readTensor(
  name: string,
  info: ProtoTensorInfo,
  title: string,
  role: 'input' | 'output',
): SavedTensor {
  const node = info.getName();
  if (node === '') throw unservableModel(`${title} is not a dense tensor`, 'convert it inside the model');
  const dt = info.getDtype();
  const datatype = servedDatatype(dt);
  if (!datatype) throw unsupportedType(title, dt);
  return { name, datatype, dt, node, shape: readShape(info, role) };
}

function unsupportedType(title: string, dt: number): Error {
  return unservableModel(
    `${title} is ${typeName(dt)}, which TensorFlow for Node does not support`,
    'cast it inside the model (tf.cast in the exported function) or export the model to ONNX',
  );
}

/**
 * Reads a shape. An output of unknown rank may have a batch dimension, which the batching proof checks; an input accepts
 * any rank.
 */
function readShape(info: ProtoTensorInfo, role: 'input' | 'output'): number[] {
  const shape = info.getTensorShape();
  if (shape && !shape.getUnknownRank()) return shape.getDimList().map((dimension) => dimension.getSize());
  return role === 'output' ? [UNKNOWN_DIMENSION] : [];
}

function keysOf(map: ProtoMap<unknown>): string[] {
  const keys: string[] = [];
  const iterator = map.keys();
  for (let next = iterator.next(); !next.done; next = iterator.next()) keys.push(next.value);
  return keys;
}
