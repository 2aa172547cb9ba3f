import { createRequire } from 'node:module';
import type { ModelSignature, SignatureNames, TensorSpec } from '../../engine.js';
import { refusal } from '../refusals.js';
import { servedDatatype, typeName } from './saved-model-types.js';

/** A tensor of the signature and where the graph keeps it. */
export interface SavedTensor extends TensorSpec {
  /** Name of the graph's node and its output, `serving_default_x:0`. */
  readonly node: string;
  readonly dt: number;
}

/** What `saved_model.pb` says about calling the model. */
export interface SavedSignature extends ModelSignature {
  readonly names: SignatureNames;
  /** Tags of the graph that holds the signature, joined by commas as the native library takes them. */
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
const INITIALISATION = '__saved_model_init_op';
const UNKNOWN_DIMENSION = -1;

const require = createRequire(import.meta.url);

/**
 * Reads how the model is called. Tensors are sorted by name: the file keeps them in a hash map, so its
 * order means nothing.
 * @param wanted name of the signature; `serving_default`, or the only one, when undefined
 * @throws PartituraError MODEL_FAILED when the model can't be called, with the way out
 */
export async function readSavedSignature(directory: string, wanted?: string): Promise<SavedSignature> {
  const reader = require('@tensorflow/tfjs-node/dist/saved_model.js') as SavedModelReader;
  const graphs = (await reader.readSavedModelProto(directory)).getMetaGraphsList();
  const graph = servingGraph(graphs);
  const signatures = graph.getSignatureDefMap();
  const all = keysOf(signatures)
    .filter((name) => name !== INITIALISATION)
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
  throw refusal(
    `none of its ${graphs.length} graphs is tagged '${SERVING_TAG}'`,
    'export it for serving, as model.export does',
  );
}

function defaultSignature(names: readonly string[]): string {
  const [only] = names;
  return only !== undefined && names.length === 1 ? only : SERVING_SIGNATURE;
}

function noSignature(wanted: string, names: readonly string[]): Error {
  return refusal(
    `expected a signature '${wanted}', got ${names.join(', ') || 'none'}`,
    names.length === 0
      ? `export the model with signatures={'${SERVING_SIGNATURE}': …}`
      : 'name the default one as `signature` in model.yaml',
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
  if (node === '') throw refusal(`${title} is not a dense tensor`, 'convert it inside the model');
  const dt = info.getDtype();
  const datatype = servedDatatype(dt);
  if (!datatype) throw lackingType(title, dt);
  return { name, datatype, dt, node, shape: readShape(info, role) };
}

function lackingType(title: string, dt: number): Error {
  return refusal(
    `${title} is ${typeName(dt)}, which TensorFlow for Node lacks`,
    'cast it inside the model (tf.cast in the exported function) or export the model to ONNX',
  );
}

/** An output of unknown rank may begin with the batch, which the proof of batching shows; an input takes any rank. */
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
