import { PartituraError } from '../../schemas/errors.js';
import { CallGuard } from './call-guard.js';
import type { ModelSource } from './engine.js';
import { loadRequest } from './load-request.js';
import type { BackendChoice } from './options.js';
import { ModelHost } from './thread/host.js';
import { Loaders } from './thread/loaders.js';
import type { EngineResponse, Tensors } from './thread/messages.js';

type Result = Extract<EngineResponse, { kind: 'result' }>;

/** Runs models on the event loop itself, for models that cost less than the hop to a worker thread. */
export class InlineHost {
  readonly #host: ModelHost;

  constructor(backend: BackendChoice) {
    this.#host = new ModelHost(new Loaders({ backend, guard: new CallGuard() }));
  }

  /** @throws PartituraError if the model cannot be loaded */
  async load(key: number, source: ModelSource, cores: number): Promise<void> {
    succeeded(await this.#host.handle(loadRequest(key, { ...source, cores }, cores)));
  }

  /** @throws PartituraError if the model rejects the inputs */
  async run(key: number, tensors: Tensors): Promise<Result> {
    return succeeded(await this.#host.handle({ kind: 'run', key, ...tensors })) as Result;
  }

  async unload(key: number): Promise<void> {
    await this.#host.handle({ kind: 'unload', key });
  }
}

function succeeded(response: EngineResponse): EngineResponse {
  if (response.kind === 'failed') throw new PartituraError(response.code, response.message);
  return response;
}
