import { invalidRequest } from '../../../schemas/errors.js';
import type { GatewayServices } from '../../dialects/rest-dialect.js';
import type { CallContext } from '../../inference/inferences.js';
import { unsupported } from '../../open-inference/unsupported.js';
import type { Example } from '../../tensorflow/example.js';
import type { UnaryMethod } from '../grpc-service.js';
import { classificationResult, regressionResult, runExamples } from './classify-regress.js';
import { readExamples, type InputMessage } from './examples.js';
import { requireSpec, type ModelSpec } from './model-spec.js';

interface InferenceTask {
  readonly model_spec: ModelSpec | null;
  readonly method_name: string;
}

interface MultiInferenceRequest {
  readonly tasks: readonly InferenceTask[];
  readonly input: InputMessage | null;
}

/** Tasks of a request; more would be a way to multiply work. */
const MAX_TASKS = 32;
const RESULTS = {
  'tensorflow/serving/classify': { field: 'classification_result', resultOf: classificationResult },
  'tensorflow/serving/regress': { field: 'regression_result', resultOf: regressionResult },
};

/** Creates the method `MultiInference`: several signatures of one model on the same examples. */
export function multiInference(services: GatewayServices): UnaryMethod {
  return async ({ tasks, input }: MultiInferenceRequest, context) => {
    checkTasks(tasks);
    const examples = readExamples(input);
    return { results: await Promise.all(tasks.map((task) => runTask(services, task, examples, context))) };
  };
}

function checkTasks(tasks: readonly InferenceTask[]): void {
  const specs = tasks.map(({ model_spec }) => requireSpec(model_spec));
  if (tasks.length > MAX_TASKS)
    throw invalidRequest(`tasks: expected at most ${MAX_TASKS} tasks, got ${tasks.length}`);
  if (specs.some(({ name }) => name !== specs[0]?.name))
    throw invalidRequest('All ModelSpecs in a MultiInferenceRequest must access the same model name.');
  const names = specs.map(({ signature_name: name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw invalidRequest(`Duplicate evaluation of signature: ${repeated}`);
}

async function runTask(
  services: GatewayServices,
  { model_spec: model, method_name: method }: InferenceTask,
  examples: readonly Example[],
  context: CallContext,
): Promise<object> {
  if (!Object.hasOwn(RESULTS, method)) throw unsupported(`Unsupported signature method_name: ${method}`);
  const { field, resultOf } = RESULTS[method as keyof typeof RESULTS];
  const { model_spec, outputs } = await runExamples(services, model, examples, context);
  return { model_spec, [field]: resultOf(outputs, examples.length) };
}
