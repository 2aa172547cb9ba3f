import { PartituraError } from '../../schemas/errors.js';
import { CallGuard } from './call-guard.js';
import type { ModelSource } from './engine.js';
import { loadRequest } from './load-request.js';
import type { BackendChoice } from './options.js';
import { ModelHost } from './thread/host.js';
import { Loaders } from './thread/loaders.js';
import type { EngineResponse, Tensors } from './thread/messages.js';

type Result = Extract<EngineResponse, { kind: 'result' }>;

/** What a thread does, in the event loop itself: for models so light that the way to a thread costs more than they do. */
export class InlineHost {
  readonly #host: ModelHost;

  constructor(backend: BackendChoice) {
    this.#host = new ModelHost(new Loaders(backend, new CallGuard()));
  }

  /** @throws PartituraError when it can't be loaded */
  async load(key: number, source: ModelSource, cores: number): Promise<void> {
    succeeded(await this.#host.answer(loadRequest(key, { ...source, cores }, cores)));
  }

  /** @throws PartituraError when the model refuses */
  async run(key: number, tensors: Tensors): Promise<Result> {
    return succeeded(await this.#host.answer({ kind: 'run', key, ...tensors })) as Result;
  }

  async unload(key: number): Promise<void> {
    await this.#host.answer({ kind: 'unload', key });
  }
}

function succeeded(answer: EngineResponse): EngineResponse {
  if (answer.kind === 'failed') throw new PartituraError(answer.code, answer.message);
  return answer;
}
