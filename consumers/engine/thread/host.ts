import { PartituraError } from '../../../schemas/errors.js';
import type { TensorSpec } from '../engine.js';
import type { Loaders } from './loaders.js';
import type { EngineResponse, EngineRequest, Tensors } from './messages.js';
import type { ThreadModel } from './model.js';
import { runtimeReason } from './refusals.js';

/** The models of one thread; answers one question at a time. */
export class ModelHost {
  readonly #models = new Map<number, ThreadModel>();

  constructor(readonly loaders: Loaders) {}

  /** Never throws: whatever goes wrong is an answer. */
  async answer(question: EngineRequest): Promise<EngineResponse> {
    try {
      return await this.#serve(question);
    } catch (error) {
      const { code, message } = PartituraError.from(error, 'MODEL_FAILED');
      return {
        kind: 'failed',
        code,
        message: error instanceof PartituraError ? message : runtimeReason(message),
      };
    }
  }

  #serve(question: EngineRequest): EngineResponse | Promise<EngineResponse> {
    switch (question.kind) {
      case 'run':
        return this.#run(question.key, question);
      case 'load':
        return this.#load(question);
      case 'unload':
        return this.#unload(question.key);
    }
  }

  async #run(key: number, inputs: Tensors): Promise<EngineResponse> {
    const started = performance.now();
    const { shapes, buffers } = await this.#model(key).run(inputs);
    const computeMicros = Math.round((performance.now() - started) * 1000);
    return { kind: 'result', computeMicros, shapes, buffers };
  }

  async #load(question: Extract<EngineRequest, { kind: 'load' }>): Promise<EngineResponse> {
    await this.loaders.start(question.format);
    const begun = performance.now();
    const model = await this.loaders.load(question);
    const loadMs = performance.now() - begun;
    this.#models.set(question.key, model);
    const { signature, backend, fallbackReason, cores, signatureNames } = model;
    return {
      kind: 'loaded',
      backend,
      signature: { inputs: signature.inputs.map(publicPart), outputs: signature.outputs.map(publicPart) },
      ...(fallbackReason !== undefined && { fallbackReason }),
      ...(cores !== undefined && { cores }),
      ...(signatureNames && { signatureNames }),
      loadMs,
    };
  }

  #unload(key: number): EngineResponse {
    const model = this.#model(key);
    this.#models.delete(key);
    model.dispose();
    return { kind: 'unloaded' };
  }

  #model(key: number): ThreadModel {
    const model = this.#models.get(key);
    if (!model) throw new PartituraError('MODEL_NOT_READY', `the engine's thread holds no model ${key}`);
    return model;
  }
}

function publicPart({ name, datatype, shape, dimensionNames, labels }: TensorSpec): TensorSpec {
  return { name, datatype, shape, ...(dimensionNames && { dimensionNames }), ...(labels && { labels }) };
}
