import type { SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import { signatureOf, type ServedVersion } from '../models/served-models.js';

/** Extensions of the protocol that the gateway has, by the names that Triton gives them. */
export const SERVER_EXTENSIONS = [
  'binary_tensor_data',
  'model_repository',
  'model_repository(unload_dependents)',
  'model_configuration',
  'statistics',
];

const PLATFORMS: Readonly<Record<string, string>> = {
  saved_model: 'tensorflow_savedmodel',
  onnx: 'onnxruntime_onnx',
  graph_model: 'tensorflowjs_graph',
  layers_model: 'tensorflowjs_layers',
};

/** Metadata of a model version, with all versions that are available. */
export function modelMetadata(served: ServedVersion, available: readonly ServedVersion[]): object {
  const { inputs, outputs } = signatureOf(served, undefined);
  return {
    name: served.model,
    versions: available.map(({ version }) => version),
    platform: platformOf(served),
    inputs: inputs.map(tensorMetadata),
    outputs: outputs.map(tensorMetadata),
  };
}

export function platformOf({ status }: ServedVersion): string {
  return PLATFORMS[status.format ?? ''] ?? status.format ?? '';
}

function tensorMetadata({ name, datatype, shape }: TensorStatus): object {
  return { name, datatype, shape };
}

/** Configuration of a model in the form of Triton, as far as it applies. */
export function modelConfig(served: ServedVersion): object {
  const signature = signatureOf(served, undefined);
  const isBatchable = signature.batching?.batchable ?? false;
  const maxBatch = isBatchable ? (signature.measured?.bestBatchRows ?? 1) : 0;
  return {
    name: served.model,
    platform: platformOf(served),
    backend: served.status.backend ?? '',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: maxBatch,
    input: tensorConfigs(signature, 'inputs', isBatchable),
    output: tensorConfigs(signature, 'outputs', isBatchable),
    instance_group: [{ name: served.model, kind: 'KIND_CPU', count: served.nodes.length }],
  };
}

/** In a configuration, the batch dimension of a batchable model is implied. */
function tensorConfigs(
  signature: SignatureStatus,
  side: 'inputs' | 'outputs',
  isBatchable: boolean,
): object[] {
  return signature[side].map(({ name, datatype, shape }) => ({
    name,
    data_type: `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`,
    dims: isBatchable ? shape.slice(1) : shape,
  }));
}
