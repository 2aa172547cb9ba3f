import { PartituraError } from '../../../schemas/errors.js';
import type { EngineResult, LoadedModel } from '../../engine/engine.js';
import { ComparedOutput } from './compare.js';
import {
  essentialStage,
  furtherStage,
  longStage,
  rowsOfRequests,
  type PlannedRun,
  type Segment,
  type Stage,
} from './plan.js';
import { mergeSegments, RequestDrawer, type DrawnRequest } from './requests.js';
import { openSizes, valueKinds, type Scale, type ValueKind } from './values.js';
import { obstacleToBatching, type BatchingVerdict } from './verdict.js';

export interface ProofLimits {
  /** Rows of the largest batch: one more is tried, too, if there is time. */
  readonly maxBatchRows: number;
  /** For everything beyond what every model must pass, milliseconds. */
  readonly budgetMs?: number;
  /** For what every model must pass, milliseconds; one that takes longer is not batched. */
  readonly essentialMs?: number;
  readonly now?: () => number;
}

const BUDGET_MS = 1_000;
const ESSENTIAL_MS = 3_000;
/** Inputs of one run: what is tried must not be what fills the memory. */
const MAX_RUN_BYTES = 8 * 2 ** 20;
/** Lengths for what depends on the size of a batch. */
const LONG_ROWS = [33, 300] as const;

/** A verdict, and whether the next start may rely on it: what the load of the machine decided is tried again. */
export interface ProvenVerdict extends BatchingVerdict {
  readonly isLasting: boolean;
}

/**
 * Runs random requests alone, together in both orders, and cut, and compares each row with what it was alone. The
 * model may refuse some values; then others are drawn. Ends with the first difference.
 */
export async function proveBatching(
  model: Pick<LoadedModel, 'run' | 'signature'>,
  limits: ProofLimits,
): Promise<ProvenVerdict> {
  const obstacle = obstacleToBatching(model.signature);
  if (obstacle !== undefined) return verdict(false, obstacle);
  const clock = startClock(limits);
  let refusal: string | undefined;
  try {
    for (const openSize of openSizes(model.signature))
      for (const kind of valueKinds(model.signature)) {
        const outcome = await new Proof(model, kind, openSize, clock, limits.maxBatchRows).run();
        if (!(outcome instanceof Refusal)) return outcome;
        refusal ??= outcome.message;
      }
    throw new Untried(`the model refuses random inputs: ${refusal}`, true);
  } catch (error) {
    if (error instanceof Untried)
      return verdict(false, `could not be tried: ${error.message}`, error.isLasting);
    throw error;
  }
}

function verdict(batchable: boolean, reason: string, isLasting = true): ProvenVerdict {
  return { batchable, reason, isLasting };
}

/** A request alone was refused: perhaps for its values. */
class Refusal extends Error {}

/** Nothing can be said about the model. */
class Untried extends Error {
  constructor(
    message: string,
    readonly isLasting: boolean,
  ) {
    super(message);
  }
}

/** Rows depend on each other. */
class Difference extends Error {}

interface ProofClock {
  readonly now: () => number;
  readonly essentialMs: number;
  readonly essentialEnd: number;
  readonly budgetEnd: number;
}

function startClock({
  budgetMs = BUDGET_MS,
  essentialMs = ESSENTIAL_MS,
  now = monotonic,
}: ProofLimits): ProofClock {
  const begun = now();
  return { now, essentialMs, essentialEnd: begun + essentialMs, budgetEnd: begun + budgetMs };
}

const monotonic = (): number => performance.now();

/** What one output of a request was when it was alone. */
type AloneOutputs = readonly ComparedOutput[];

/** The plan, carried out with one kind of values. */
class Proof {
  readonly #drawer: RequestDrawer;
  readonly #requests: DrawnRequest[] = [];
  readonly #alone: AloneOutputs[] = [];
  /** The largest answer to inputs of each scale, for each output. */
  readonly #magnitudes: Map<Scale, number>[];
  #runs = 0;
  #rows = 0;
  #mostRows = 0;
  #spentMs = 0;

  constructor(
    readonly model: Pick<LoadedModel, 'run' | 'signature'>,
    kind: ValueKind,
    readonly openSize: number,
    readonly clock: ProofClock,
    readonly maxBatchRows: number,
  ) {
    this.#drawer = new RequestDrawer(model.signature.inputs, kind, openSize);
    this.#magnitudes = model.signature.outputs.map(() => new Map<Scale, number>());
  }

  async run(): Promise<ProvenVerdict | Refusal> {
    try {
      await this.#runStage(essentialStage(), this.clock.essentialEnd);
      for (const stage of this.#optionalStages()) {
        if (!this.#hasTimeFor(rowsOfRequests(stage))) break;
        await this.#runStage(stage, Math.max(this.clock.essentialEnd, this.clock.budgetEnd), true);
      }
      const most = `${this.#mostRows} row${this.#mostRows === 1 ? '' : 's'}`;
      return verdict(
        true,
        `rows are independent: ${this.#runs} runs of up to ${most} gave each row its own answer`,
      );
    } catch (error) {
      if (error instanceof Refusal) return error;
      if (error instanceof Difference) return verdict(false, error.message);
      throw error;
    }
  }

  *#optionalStages(): Generator<Stage> {
    yield furtherStage();
    const bytes = this.#bytesOfRow();
    const lengths = [...LONG_ROWS.filter((rows) => rows < this.maxBatchRows), this.maxBatchRows + 1];
    for (const rows of lengths) {
      if (rows * bytes > MAX_RUN_BYTES) return;
      yield longStage(rows, this.#requests.length);
    }
  }

  #bytesOfRow(): number {
    const [first] = this.#requests;
    if (!first) return 0;
    return first.inputs.reduce((sum, { data }) => sum + data.length / first.rows, 0);
  }

  /** Judges by what rows have taken so far. */
  #hasTimeFor(rows: number): boolean {
    const expectedMs = (this.#spentMs / this.#rows) * rows;
    return this.clock.now() + expectedMs <= this.clock.budgetEnd;
  }

  /** @param end when a run that is still under way fails */
  async #runStage({ requests, runs }: Stage, end: number, isOptional = false): Promise<void> {
    for (const planned of requests) {
      const request = this.#drawer.draw(planned);
      this.#requests.push(request);
      await this.#runAlone(request, end);
    }
    for (const run of runs) {
      if (isOptional && !this.#hasTimeFor(rowsOf(run))) return;
      await this.#compare(run, end);
    }
  }

  async #runAlone({ rows, scales }: DrawnRequest, end: number): Promise<void> {
    const request = this.#requests.length - 1;
    const outputs = await this.#outputsOf([{ request, start: 0, rows }], end).catch((error: unknown) => {
      throw error instanceof PartituraError ? new Refusal(reasonOf(error)) : error;
    });
    requireRows(outputs, rows);
    if (saysNothing(outputs)) throw new Refusal('it answers NaN or infinity only');
    this.#alone.push(outputs);
    outputs.forEach((output, index) => {
      const magnitudes = this.#magnitudes[index];
      scales.forEach((scale, row) =>
        magnitudes?.set(scale, Math.max(magnitudes.get(scale) ?? 0, output.magnitude(row))),
      );
    });
  }

  async #compare(run: PlannedRun, end: number): Promise<void> {
    const outputs = await this.#outputsOf(run, end).catch((error: unknown) => {
      throw error instanceof PartituraError ? new Difference(refusedTogether(run, error)) : error;
    });
    requireRows(outputs, rowsOf(run));
    for (const [index, output] of outputs.entries()) {
      if (this.#isAsAlone(run, output, index)) continue;
      throw new Difference(await this.#explain(run, output.tensor.name, index, end));
    }
  }

  #isAsAlone(run: PlannedRun, output: ComparedOutput, index: number): boolean {
    let position = 0;
    return run.every((segment) => {
      const from = position;
      position += segment.rows;
      return this.#isSegmentAsAlone(segment, output, index, from);
    });
  }

  #isSegmentAsAlone(
    { request, start, rows }: Segment,
    output: ComparedOutput,
    index: number,
    position: number,
  ): boolean {
    const alone = this.#alone[request]?.[index];
    const scales = this.#requests[request]?.scales;
    if (!alone || !scales || !alone.hasRowsLike(output)) return false;
    for (let row = 0; row < rows; row++) {
      const magnitude = this.#magnitudes[index]?.get(scales[start + row] ?? 1) ?? 0;
      if (!alone.matches(start + row, output, position + row, magnitude)) return false;
    }
    return true;
  }

  /** Says what the difference comes from: from the batch, unless the model answers at random. */
  async #explain(run: PlannedRun, name: string, index: number, end: number): Promise<string> {
    const again: PlannedRun = [{ request: 0, start: 0, rows: this.#requests[0]?.rows ?? 0 }];
    const output = (await this.#outputsOf(again, end))[index];
    if (output && !this.#isAsAlone(again, output, index))
      return `output '${name}' differs from run to run for the same input`;
    return isTogether(run)
      ? `output '${name}' of a request changes with the requests beside it`
      : `output '${name}' of a request changes when the request is cut`;
  }

  /** @throws Untried where the process died or time is up; PartituraError when the model refuses */
  async #outputsOf(run: PlannedRun, end: number): Promise<AloneOutputs> {
    const begun = this.clock.now();
    const leftMs = end - begun;
    if (leftMs <= 0) throw this.#tooSlow();
    try {
      const { outputs } = await this.model.run(mergeSegments(run, this.#requests), Math.ceil(leftMs));
      this.#note(run, begun);
      return compared(outputs);
    } catch (error) {
      if (this.clock.now() >= end) throw this.#tooSlow();
      const failure = PartituraError.from(error);
      const reason = reasonOf(failure);
      if (failure.code === 'MODEL_CRASHED') throw new Untried(`random inputs crashed it: ${reason}`, false);
      if (failure.code === 'INTERNAL') throw new Untried(reason, false);
      throw failure;
    }
  }

  #note(run: PlannedRun, begun: number): void {
    const rows = rowsOf(run);
    this.#runs++;
    this.#rows += rows;
    this.#mostRows = Math.max(this.#mostRows, rows);
    this.#spentMs += this.clock.now() - begun;
  }

  #tooSlow(): Untried {
    return new Untried(`too slow to be tried within ${this.clock.essentialMs / 1_000} s`, false);
  }
}

function compared(outputs: EngineResult['outputs']): AloneOutputs {
  return outputs.map(({ name, datatype, shape, data }) => {
    const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return new ComparedOutput({ name, datatype, shape, data: buffer });
  });
}

/**
 * Recognizes values that the model computes but does not understand, such as a mask of other numbers than 0 and 1: NaN
 * equals NaN whatever the rows beside it.
 */
function saysNothing(outputs: AloneOutputs): boolean {
  const floats = outputs.filter(({ isFloat }) => isFloat);
  return floats.length > 0 && floats.every(({ isWhollyNonFinite }) => isWhollyNonFinite);
}

function requireRows(outputs: AloneOutputs, expected: number): void {
  const other = outputs.find(({ rows }) => rows !== expected);
  if (!other) return;
  const found = other.rows === undefined ? 'no dimensions' : rowsText(other.rows);
  throw new Difference(`output '${other.tensor.name}' has ${found} for ${rowsText(expected)} of input`);
}

function rowsText(rows: number): string {
  return `${rows} row${rows === 1 ? '' : 's'}`;
}

function rowsOf(run: PlannedRun): number {
  return run.reduce((sum, { rows }) => sum + rows, 0);
}

function isTogether(run: PlannedRun): boolean {
  return run.length > 1;
}

function refusedTogether(run: PlannedRun, error: PartituraError): string {
  return isTogether(run)
    ? `the model refuses requests together that it answers alone: ${reasonOf(error)}`
    : `the model refuses a part of a request that it answers whole: ${reasonOf(error)}`;
}

/** The runtime's reason, without the name of the model, which the reader knows. */
function reasonOf({ message, cause }: PartituraError): string {
  return cause instanceof PartituraError ? cause.message : message;
}
