import { PartituraError } from '../../../schemas/errors.js';
import type { ModelFormat, TensorSpec } from '../engine.js';
import type { Answer, Question, Tensors } from './messages.js';
import type { ThreadModel } from './model.js';
import { firstSentence } from './refusals.js';
import type { Runtime } from './runtime.js';
import { loadSavedModel } from './saved-model.js';
import { loadGraphModel, loadLayersModel } from './tensorflowjs-model.js';

const LOADERS: Record<ModelFormat, (runtime: Runtime, directory: string) => Promise<ThreadModel>> = {
  saved_model: loadSavedModel,
  graph_model: loadGraphModel,
  layers_model: loadLayersModel,
};

/** The models of one thread; answers one question at a time. */
export class ModelHost {
  private readonly models = new Map<number, ThreadModel>();

  constructor(private readonly runtime: Runtime) {}

  /** Never throws: whatever goes wrong is an answer. */
  async answer(question: Question): Promise<Answer> {
    try {
      return await this.serve(question);
    } catch (error) {
      const { code, message } = PartituraError.from(error, 'MODEL_FAILED');
      return {
        kind: 'failed',
        code,
        message: error instanceof PartituraError ? message : firstSentence(message),
      };
    }
  }

  private serve(question: Question): Answer | Promise<Answer> {
    switch (question.kind) {
      case 'run':
        return this.run(question.key, question);
      case 'load':
        return this.load(question.key, question.format, question.directory);
      case 'unload':
        return this.unload(question.key);
    }
  }

  private async run(key: number, inputs: Tensors): Promise<Answer> {
    const started = performance.now();
    const { shapes, buffers } = await this.model(key).run(inputs);
    const computeMicros = Math.round((performance.now() - started) * 1000);
    return { kind: 'result', computeMicros, shapes, buffers };
  }

  private async load(key: number, format: ModelFormat, directory: string): Promise<Answer> {
    const model = await LOADERS[format](this.runtime, directory);
    this.models.set(key, model);
    const { inputs, outputs } = model.signature;
    return {
      kind: 'loaded',
      signature: { inputs: inputs.map(publicPart), outputs: outputs.map(publicPart) },
    };
  }

  private unload(key: number): Answer {
    const model = this.model(key);
    this.models.delete(key);
    model.dispose();
    return { kind: 'unloaded' };
  }

  private model(key: number): ThreadModel {
    const model = this.models.get(key);
    if (!model) throw new PartituraError('MODEL_NOT_READY', `the engine's thread holds no model ${key}`);
    return model;
  }
}

function publicPart({ name, datatype, shape }: TensorSpec): TensorSpec {
  return { name, datatype, shape };
}
