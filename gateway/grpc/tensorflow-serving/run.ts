import type { InferenceReply, Tensor } from '../../../schemas/generated.js';
import type { CallContext, Inferences } from '../../inference/inferences.js';
import { isPinned, type Resolved } from './model-spec.js';

/** Inputs of a request and the outputs that it asks for; none are all. */
export interface RunRequest {
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly string[];
}

/** Runs a signature of the version that a request names. */
export function run(
  inferences: Inferences,
  { spec, served }: Resolved,
  { inputs, outputs = [] }: RunRequest,
  context: CallContext,
): Promise<InferenceReply> {
  const { signature_name: signature } = spec;
  const request = {
    id: '',
    model: spec.name,
    modelVersion: isPinned(spec) ? served.version : null,
    inputs: [...inputs],
    outputs: [...outputs],
    parameters: signature === '' ? {} : { signature },
    deadline: null,
  };
  return inferences.infer(request, context);
}
