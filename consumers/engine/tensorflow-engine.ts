import { PartituraError } from '../../schemas/errors.js';
import type {
  Engine,
  EngineResult,
  EngineTensor,
  LoadedModel,
  ModelSignature,
  ModelSource,
} from './engine.js';
import { aboutModel } from './model-errors.js';
import { completeOptions, type EngineOptions } from './options.js';
import { Slot } from './slot.js';
import { arrangeInputs, nameOutputs } from './tensors.js';
import type { Answer, Backend, Tensors } from './thread/messages.js';

/** The engine with what a node says aloud when it starts. */
export interface TensorFlowEngine extends Engine {
  readonly backend: Backend;
  /** Why WebAssembly computes although TensorFlow was preferred. */
  readonly fallbackReason?: string;
}

/**
 * Starts TensorFlow in worker threads.
 * @throws PartituraError when the chosen backend can't be had
 */
export async function createEngine(options: EngineOptions = {}): Promise<TensorFlowEngine> {
  const complete = completeOptions(options);
  prepareProcess(complete.intraOpThreads);
  const slots = Array.from({ length: complete.threads }, () => new Slot(complete));
  try {
    const [first] = await Promise.all(slots.map((slot) => slot.open()));
    if (!first) throw new PartituraError('INTERNAL', 'an engine needs a thread');
    return new ThreadedEngine(slots, first);
  } catch (error) {
    await Promise.all(slots.map((slot) => slot.close()));
    throw error;
  }
}

/** The native library reads its settings from the process, once, when the first thread loads it. */
function prepareProcess(intraOpThreads: number): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  if (intraOpThreads > 0) process.env['TF_NUM_INTRAOP_THREADS'] = String(intraOpThreads);
}

class ThreadedEngine implements TensorFlowEngine {
  readonly backend: Backend;
  declare readonly fallbackReason?: string;
  private nextKey = 1;
  private closed = false;

  constructor(
    private readonly slots: readonly Slot[],
    { backend, fallbackReason }: Extract<Answer, { kind: 'started' }>,
  ) {
    this.backend = backend;
    if (fallbackReason !== undefined) this.fallbackReason = fallbackReason;
  }

  get parallelism(): number {
    return this.slots.length;
  }

  /** One thread after the other: the first one proves the model, and the others go on serving meanwhile. */
  async load(source: ModelSource): Promise<LoadedModel> {
    this.requireOpen();
    const key = this.nextKey++;
    let signature: ModelSignature | undefined;
    try {
      for (const slot of this.slots) signature = await slot.load(key, source);
    } catch (error) {
      await this.unload(key);
      throw error;
    }
    if (!signature) throw new PartituraError('INTERNAL', 'an engine needs a thread');
    return new ThreadedModel(this, key, source, signature);
  }

  async run(key: number, tensors: Tensors): Promise<Extract<Answer, { kind: 'result' }>> {
    this.requireOpen();
    const slot = this.idlest(key) ?? (await this.idlestAfterRepair(key));
    return slot.run(key, tensors);
  }

  /** Frees what can be freed: a thread that is lost has nothing left to free. */
  async unload(key: number): Promise<void> {
    await Promise.allSettled(this.slots.map((slot) => slot.unload(key)));
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(this.slots.map((slot) => slot.close()));
  }

  private idlest(key: number): Slot | undefined {
    let idlest: Slot | undefined;
    for (const slot of this.slots) {
      if (slot.serves(key) && (!idlest || slot.backlog < idlest.backlog)) idlest = slot;
    }
    return idlest;
  }

  private async idlestAfterRepair(key: number): Promise<Slot> {
    await Promise.any(this.slots.map((slot) => slot.whole())).catch(() => undefined);
    const slot = this.idlest(key);
    if (slot) return slot;
    throw new PartituraError('MODEL_NOT_READY', 'no engine thread holds it after a crash; it is tried again');
  }

  private requireOpen(): void {
    if (this.closed) throw new PartituraError('INTERNAL', 'the engine is closed');
  }
}

class ThreadedModel implements LoadedModel {
  private underWay = 0;
  private unloading: Promise<void> | undefined;
  private allDone: (() => void) | undefined;

  constructor(
    private readonly engine: ThreadedEngine,
    private readonly key: number,
    private readonly source: ModelSource,
    readonly signature: ModelSignature,
  ) {}

  get backend(): Backend {
    return this.engine.backend;
  }

  async run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    if (this.unloading) throw aboutModel(this.source, new PartituraError('MODEL_NOT_READY', 'is unloaded'));
    this.underWay++;
    try {
      const answer = await this.engine.run(this.key, arrangeInputs(this.signature.inputs, inputs));
      return { outputs: nameOutputs(this.signature.outputs, answer), computeMicros: answer.computeMicros };
    } catch (error) {
      throw aboutModel(this.source, error);
    } finally {
      this.underWay--;
      if (this.underWay === 0) this.allDone?.();
    }
  }

  unload(): Promise<void> {
    this.unloading ??= this.finishAndUnload();
    return this.unloading;
  }

  private async finishAndUnload(): Promise<void> {
    if (this.underWay > 0) await new Promise<void>((resolve) => (this.allDone = resolve));
    await this.engine.unload(this.key);
  }
}
