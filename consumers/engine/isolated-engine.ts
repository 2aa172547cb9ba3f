import { PartituraError } from '../../schemas/errors.js';
import type {
  Backend,
  Engine,
  EngineResult,
  EngineTensor,
  LoadedModel,
  ModelSignature,
  ModelSource,
} from './engine.js';
import { EngineProcess } from './engine-process.js';
import { aboutModel } from './model-errors.js';
import { coreChoices, type EngineOptions } from './options.js';
import { arrangeInputs, nameOutputs } from './tensors.js';
import type { LoadedFacts } from './thread/messages.js';

/** The child process ends when it has held no model for this long. */
const IDLE_MS = 10_000;

/**
 * An engine in one child process, for what may crash: new versions are tried in it, and suspect requests computed. It
 * starts with its first model, and again after it died, with the same models.
 */
export class IsolatedEngine implements Engine {
  readonly threads = 1;
  private nextKey = 1;
  private readonly models = new Map<number, ModelSource>();
  private child: Promise<EngineProcess> | undefined;
  private idle: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: Required<EngineOptions>) {}

  get coreChoices(): readonly number[] {
    return coreChoices(this.options);
  }

  async load(source: ModelSource): Promise<LoadedModel> {
    const key = this.nextKey++;
    const child = await this.present();
    try {
      const facts = await this.loadInto(child, key, source);
      this.models.set(key, source);
      return new IsolatedModel(this, key, source, facts);
    } catch (error) {
      this.endWhenIdle();
      throw error;
    }
  }

  /** @throws PartituraError MODEL_CRASHED when the process died of this run */
  async run(
    key: number,
    inputs: Parameters<typeof arrangeInputs>[1],
    signature: ModelSignature,
  ): Promise<EngineResult> {
    const child = await this.present();
    const tensors = arrangeInputs(signature.inputs, inputs);
    const answer = await child.ask<'result'>({ kind: 'run', key, ...tensors }, this.options.runTimeoutMs);
    return { outputs: nameOutputs(signature.outputs, answer), computeMicros: answer.computeMicros };
  }

  async unload(key: number): Promise<void> {
    this.models.delete(key);
    const child = await this.child?.catch(() => undefined);
    if (child && !child.isLost)
      await child.ask({ kind: 'unload', key }, this.options.loadTimeoutMs).catch(() => undefined);
    this.endWhenIdle();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.end();
  }

  /** The child process with all models in it, started anew if the last one died. */
  private async present(): Promise<EngineProcess> {
    if (this.closed) throw new PartituraError('INTERNAL', 'the engine is closed');
    clearTimeout(this.idle);
    const child = await this.child?.catch(() => undefined);
    if (child && !child.isLost) return child;
    this.child = this.start();
    return this.child;
  }

  private async start(): Promise<EngineProcess> {
    const child = new EngineProcess(this.options);
    try {
      await child.started();
      for (const [key, source] of this.models) await this.loadInto(child, key, source);
      return child;
    } catch (error) {
      await child.close();
      throw error;
    }
  }

  /** @throws PartituraError that names the model */
  private async loadInto(child: EngineProcess, key: number, source: ModelSource): Promise<LoadedFacts> {
    const { directory, format, cores = coreChoices(this.options)[0] } = source;
    try {
      return await child.ask<'loaded'>(
        { kind: 'load', key, directory, format, cores },
        this.options.loadTimeoutMs,
      );
    } catch (error) {
      throw aboutModel(source, error);
    }
  }

  private endWhenIdle(): void {
    if (this.models.size > 0) return;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.end(), IDLE_MS).unref();
  }

  private async end(): Promise<void> {
    clearTimeout(this.idle);
    const ending = this.child;
    this.child = undefined;
    await (await ending?.catch(() => undefined))?.close();
  }
}

class IsolatedModel implements LoadedModel {
  readonly signature: ModelSignature;
  readonly backend: Backend;
  readonly loadMs: number;
  readonly isInline = false;
  readonly threads = 1;
  declare readonly cores?: number;

  constructor(
    private readonly engine: IsolatedEngine,
    private readonly key: number,
    private readonly source: ModelSource,
    { signature, backend, cores, loadMs }: LoadedFacts,
  ) {
    this.signature = signature;
    this.backend = backend;
    this.loadMs = loadMs;
    if (cores !== undefined) this.cores = cores;
  }

  async run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    try {
      return await this.engine.run(this.key, inputs, this.signature);
    } catch (error) {
      throw aboutModel(this.source, error);
    }
  }

  spread(): Promise<void> {
    return Promise.resolve();
  }

  gather(): Promise<void> {
    return Promise.resolve();
  }

  /** Nothing in the node's own process: that is what this engine is for. */
  moveInline(): Promise<void> {
    return Promise.reject(new PartituraError('INTERNAL', 'an isolated model does not run in the event loop'));
  }

  unload(): Promise<void> {
    return this.engine.unload(this.key);
  }
}
