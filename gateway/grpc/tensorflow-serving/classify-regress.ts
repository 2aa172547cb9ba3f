import { invalidRequest } from '../../../schemas/errors.js';
import type { InferenceReply } from '../../../schemas/generated.js';
import type { GatewayServices } from '../../dialects/rest-dialect.js';
import type { CallContext } from '../../inference/inferences.js';
import { classifications } from '../../tensorflow/classification.js';
import { exampleInputs } from '../../tensorflow/example-inputs.js';
import type { Example } from '../../tensorflow/example.js';
import { regressions } from '../../tensorflow/regression.js';
import type { UnaryMethod } from '../grpc-service.js';
import { readExamples, type InputMessage } from './examples.js';
import { replySpec, resolveSpec, signatureOfSpec, type ModelSpec } from './model-spec.js';
import { run } from './run.js';

interface ExamplesRequest {
  readonly model_spec: ModelSpec | null;
  readonly input: InputMessage | null;
}

/** A reply's specification and its outputs. */
interface Answer {
  readonly model_spec: object;
  readonly outputs: InferenceReply['outputs'];
}

/** Runs a signature on examples. */
export async function runExamples(
  { config, inferences, models }: GatewayServices,
  model: ModelSpec | null,
  examples: readonly Example[],
  context: CallContext,
): Promise<Answer> {
  const resolved = resolveSpec(models.visibleTo(context.identity), model);
  const signature = signatureOfSpec(resolved, (name) =>
    invalidRequest(`No signature was found with the name: ${name}`),
  );
  const inputs = exampleInputs(examples, signature, config.maxRecordBytes);
  const { outputs, modelVersion } = await run(inferences, resolved, { inputs }, context);
  return { model_spec: replySpec(resolved.spec, modelVersion ?? resolved.served.version), outputs };
}

/** Returns the message `ClassificationResult`. */
export function classificationResult(outputs: Answer['outputs'], examples: number): object {
  return { classifications: classifications(outputs, examples).map((classes) => ({ classes })) };
}

/** Returns the message `RegressionResult`. */
export function regressionResult(outputs: Answer['outputs'], examples: number): object {
  return { regressions: regressions(outputs, examples).map((value) => ({ value })) };
}

/** Creates the method `Classify`. */
export const classify = (services: GatewayServices): UnaryMethod =>
  examplesMethod(services, classificationResult);

/** Creates the method `Regress`. */
export const regress = (services: GatewayServices): UnaryMethod => examplesMethod(services, regressionResult);

function examplesMethod(services: GatewayServices, resultOf: typeof regressionResult): UnaryMethod {
  return async ({ model_spec: model, input }: ExamplesRequest, context) => {
    const examples = readExamples(input);
    const { model_spec, outputs } = await runExamples(services, model, examples, context);
    return { model_spec, result: resultOf(outputs, examples.length) };
  };
}
