import { invalidRequest } from '../../../schemas/errors.js';
import type { SignatureStatus } from '../../../schemas/generated.js';
import type { GatewayServices } from '../../dialects/rest-dialect.js';
import { FrontError, GRPC_STATUS } from '../../inference/problem.js';
import type { UnaryMethod } from '../grpc-service.js';
import { decodeTensorProto } from './decode-tensor.js';
import { replySpec, resolveSpec, signatureOfSpec, type ModelSpec } from './model-spec.js';
import { run } from './run.js';
import { encodeTensorProto, type TensorProto } from './tensor-proto.js';

interface PredictRequest {
  readonly model_spec: ModelSpec | null;
  readonly inputs: Readonly<Record<string, TensorProto>>;
  readonly output_filter: readonly string[];
}

/** Creates the method `Predict`. */
export function predict({ config, inferences, models }: GatewayServices): UnaryMethod {
  return async ({ model_spec, inputs, output_filter: filter }: PredictRequest, context) => {
    const resolved = resolveSpec(models.visibleTo(context.identity), model_spec);
    const { spec, served } = resolved;
    const signature = signatureOfSpec(resolved, (name) =>
      precondition(`Serving signature key "${name}" not found.`),
    );
    checkInputs(Object.keys(inputs), signature);
    checkFilter(filter, signature);
    const tensors = Object.entries(inputs).map(([name, proto]) =>
      decodeTensorProto(name, proto, config.maxRecordBytes),
    );
    const reply = await run(inferences, resolved, { inputs: tensors, outputs: filter }, context);
    return {
      model_spec: replySpec(spec, reply.modelVersion ?? served.version),
      outputs: Object.fromEntries(reply.outputs.map((output) => [output.name, encodeTensorProto(output)])),
    };
  };
}

function checkInputs(given: readonly string[], signature: SignatureStatus): void {
  const expected = signature.inputs.map(({ name }) => name);
  const extra = given.filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => !given.includes(name));
  if (extra.length === 0 && missing.length === 0) return;
  throw invalidRequest(
    `input size does not match signature: ${given.length}!=${expected.length} len({${given.join(',')}}) != ` +
      `len({${expected.join(',')}}). Sent extra: {${extra.join(',')}}. Missing but required: {${missing.join(',')}}.`,
  );
}

function checkFilter(filter: readonly string[], { outputs }: SignatureStatus): void {
  const known = outputs.map(({ name }) => name);
  for (const [index, name] of filter.entries()) {
    if (!known.includes(name))
      throw invalidRequest(
        `output tensor alias not found in signature: ${name} Outputs expected to be in the set {${known.join(',')}}.`,
      );
    if (filter.indexOf(name) !== index) throw invalidRequest(`duplicate output tensor alias: ${name}`);
  }
}

function precondition(message: string): FrontError {
  return new FrontError({ http: 400, grpc: GRPC_STATUS.FAILED_PRECONDITION }, 'INVALID_REQUEST', message);
}
