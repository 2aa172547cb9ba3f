import { invalidRequest } from '../../../schemas/errors.js';
import type { GatewayServices } from '../../dialects/rest-dialect.js';
import { signatureDefs } from '../../tensorflow/signature-def.js';
import type { UnaryMethod } from '../grpc-service.js';
import { resolveSpec, type ModelSpec } from './model-spec.js';

/** The only kind of metadata that TensorFlow Serving has. */
const SIGNATURE_DEF = 'signature_def';
const SIGNATURE_DEF_MAP = 'type.googleapis.com/tensorflow.serving.SignatureDefMap';

interface GetModelMetadataRequest {
  readonly model_spec: ModelSpec | null;
  readonly metadata_field: readonly string[];
}

/** Creates the method `GetModelMetadata`. */
export function getModelMetadata({ models }: GatewayServices): UnaryMethod {
  return ({ model_spec, metadata_field: fields }: GetModelMetadataRequest, { identity }) => {
    if (fields.length === 0)
      throw invalidRequest('GetModelMetadataRequest must specify at least one metadata_field');
    const other = fields.find((field) => field !== SIGNATURE_DEF);
    if (other !== undefined) throw invalidRequest(`Metadata field ${other} is not supported`);
    const { spec, served } = resolveSpec(models.visibleTo(identity), model_spec);
    const signatures = { '@type': SIGNATURE_DEF_MAP, signature_def: signatureDefs(served) };
    return {
      model_spec: { name: spec.name, version: { value: served.version } },
      metadata: { [SIGNATURE_DEF]: signatures },
    };
  };
}
