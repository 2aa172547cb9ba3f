import { PartituraError } from '../../schemas/errors.js';
import type { ModelSignature, TensorSpec, Engine, EngineTensor, LoadedModel } from '../engine/engine.js';
import { detectFormat } from '../engine/formats.js';
import { ELEMENT_BYTES, elementCount } from '../../schemas/datatypes.js';
import { Batcher, systemClock } from '../batching/batcher.js';
import type { VersionFolder } from './repository.js';
import { readModelSettings } from './settings.js';
import { isBatchable } from './validate.js';

/** A version that answers requests: the model in its engine and the batcher before it. */
export interface ServedVersion {
  readonly model: string;
  readonly version: string;
  readonly signature: ModelSignature;
  readonly backend: string;
  readonly batcher: Batcher;
  /** Why warming up failed, for the log; the version serves all the same. */
  readonly warmUpProblem: string | undefined;
  /** Answers what is queued, then frees the model. */
  retire(): Promise<void>;
}

export interface BatchDefaults {
  readonly maxBatchRows: number;
  readonly maxBatchDelayMs: number;
}

/** What a version's batches have to do with the rest of the node. */
export interface BatchSurroundings {
  readonly observe: BatchObserver;
  /** A promise while there is no room for more results. */
  readonly room: () => Promise<void> | undefined;
}

/** Called after each batch, for metrics. */
export type BatchObserver = (model: string, rows: number, computeMicros: number) => void;

/**
 * Loads a version and warms it up.
 * @throws PartituraError with the reason when it can't be served
 */
export async function serveVersion(
  folder: VersionFolder,
  engine: Engine,
  defaults: BatchDefaults,
  { observe, room }: BatchSurroundings,
): Promise<ServedVersion> {
  const { model, version, directory } = folder;
  const settings = await readModelSettings(directory);
  const format = await detectFormat(directory);
  const loaded = await engine.load({ model, version, directory, format });
  const { signature, backend } = loaded;
  const limits = {
    maxBatchRows: settings.maxBatchRows ?? defaults.maxBatchRows,
    maxBatchDelayMs: settings.maxBatchDelayMs ?? defaults.maxBatchDelayMs,
    parallelism: engine.parallelism,
    batchable: settings.batchable !== false && isBatchable(signature),
  };
  const run = async (inputs: readonly EngineTensor[]): ReturnType<LoadedModel['run']> => {
    const rows = inputs[0]?.shape[0] ?? 1;
    const result = await loaded.run(inputs);
    observe(model, rows, result.computeMicros);
    return result;
  };
  const batcher = new Batcher(run, limits, systemClock, room);
  const warmUpProblem = settings.warmUp === false ? undefined : await warmUp(loaded, batcher);
  const retire = async (): Promise<void> => {
    await batcher.drained();
    await loaded.unload();
  };
  return { model, version, signature, backend, batcher, warmUpProblem, retire };
}

/** Runs one row of zeros, so that the first caller does not pay for TensorFlow's lazy set-up, and another to see how long it takes. */
async function warmUp(loaded: LoadedModel, batcher: Batcher): Promise<string | undefined> {
  try {
    await loaded.run(loaded.signature.inputs.map(zeros));
    const { computeMicros } = await loaded.run(loaded.signature.inputs.map(zeros));
    batcher.learn(computeMicros, 1);
    return undefined;
  } catch (error) {
    return PartituraError.from(error).message;
  }
}

function zeros({ name, datatype, shape }: TensorSpec): EngineTensor {
  const concrete = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
  const elementBytes = ELEMENT_BYTES[datatype] ?? EMPTY_STRING_BYTES;
  return { name, datatype, shape: concrete, data: new Uint8Array(elementCount(concrete) * elementBytes) };
}

/** A BYTES element of length 0 is its length alone. */
const EMPTY_STRING_BYTES = 4;
