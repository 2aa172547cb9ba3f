import { formatNamed } from '../formats.js';
import type { ModelFormat } from '../engine.js';
import type { LoadRequest, RuntimeDefinition, ThreadParts } from './format.js';
import type { ThreadModel } from './model.js';

/**
 * Loads models by format in one thread. A runtime starts with the first model that needs it, so a node with ONNX models only
 * never loads TensorFlow.
 */
export class Loaders {
  readonly #runtimes = new Map<RuntimeDefinition, Promise<unknown>>();

  constructor(readonly parts: ThreadParts) {}

  /** Starts the runtime of a format unless it is already running. @throws Error of the runtime */
  async start(format: ModelFormat): Promise<void> {
    await this.#started(formatNamed(format).runtime);
  }

  /** @throws PartituraError MODEL_FAILED with a remedy if the model cannot be served; Error of the runtime */
  async load(request: LoadRequest & { readonly format: ModelFormat }): Promise<ThreadModel> {
    const format = formatNamed(request.format);
    return format.load(await this.#started(format.runtime), request);
  }

  #started(runtime: RuntimeDefinition): Promise<unknown> {
    const started = this.#runtimes.get(runtime) ?? Promise.resolve(runtime.start(this.parts));
    this.#runtimes.set(runtime, started);
    return started;
  }
}
