import { PartituraError } from '../../../schemas/errors.js';
import type { TensorSpec } from '../engine.js';
import type { Loaders } from './loaders.js';
import type { BatchOutcome, EngineResponse, EngineRequest, Tensors } from './messages.js';
import type { ThreadModel } from './model.js';
import { runtimeReason } from './refusals.js';

/** The models of one thread; handles one request at a time. */
export class ModelHost {
  readonly #models = new Map<number, ThreadModel>();

  constructor(readonly loaders: Loaders) {}

  /** Handles a request. Never throws: failures are responses. */
  async handle(request: EngineRequest): Promise<EngineResponse> {
    try {
      return await this.#serve(request);
    } catch (error) {
      return failed(error);
    }
  }

  #serve(request: EngineRequest): EngineResponse | Promise<EngineResponse> {
    switch (request.kind) {
      case 'run':
        return this.#run(request.key, request);
      case 'run-each':
        return this.#runEach(request.key, request.batches);
      case 'load':
        return this.#load(request);
      case 'unload':
        return this.#unload(request.key);
    }
  }

  async #runEach(key: number, batches: readonly Tensors[]): Promise<EngineResponse> {
    const outcomes: BatchOutcome[] = [];
    for (const batch of batches) outcomes.push(await this.#run(key, batch).catch(failed));
    return { kind: 'results', outcomes };
  }

  async #run(key: number, inputs: Tensors): Promise<BatchOutcome> {
    const started = performance.now();
    const { shapes, buffers } = await this.#model(key).run(inputs);
    const computeMicros = Math.round((performance.now() - started) * 1000);
    return { kind: 'result', computeMicros, shapes, buffers };
  }

  async #load(request: Extract<EngineRequest, { kind: 'load' }>): Promise<EngineResponse> {
    await this.loaders.start(request.format);
    const startedAt = performance.now();
    const model = await this.loaders.load(request);
    const loadMs = performance.now() - startedAt;
    this.#models.set(request.key, model);
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
    if (!model)
      throw new PartituraError('MODEL_NOT_READY', `model ${key} is not loaded in this engine thread`);
    return model;
  }
}

function failed(error: unknown): BatchOutcome {
  const { code, message } = PartituraError.from(error, 'MODEL_FAILED');
  return {
    kind: 'failed',
    code,
    message: error instanceof PartituraError ? message : runtimeReason(message),
  };
}

function publicPart({ name, datatype, shape, dimensionNames, labels }: TensorSpec): TensorSpec {
  return { name, datatype, shape, ...(dimensionNames && { dimensionNames }), ...(labels && { labels }) };
}
