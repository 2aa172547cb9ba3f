import { PartituraError } from '../../../schemas/errors.js';
import type { EngineResult, EngineTensor, LoadedModel } from '../../engine/engine.js';
import { Crash, Unverified } from './findings.js';
import { compared, reasonOf, type RunOutputs } from './outputs.js';
import { rowsOf, type PlannedRun } from './plan.js';
import type { ProofClock } from './proof-clock.js';
import { mergeSegments, type DrawnRequest } from './requests.js';

/** The model under proof; `runEach` is absent where a message costs nothing. */
export type ProvenModel = Pick<LoadedModel, 'run' | 'runEach' | 'signature'>;

/** Maximum expected duration of the runs sent in one message, milliseconds: between messages, time is checked. */
const MESSAGE_MS = 10;
/** Maximum input size and number of the runs sent in one message. */
const MESSAGE_BYTES = 2 ** 20;
const MESSAGE_RUNS = 32;

/** A run whose result has been computed ahead of its turn. */
interface Computed {
  readonly run: PlannedRun;
  readonly result: EngineResult | PartituraError;
}

/**
 * The runs of one proof, with their counts and time. Announced runs are computed several per message, because a message to
 * the child process takes longer than a small run.
 */
export class ProofRuns {
  #runs = 0;
  #rows = 0;
  #mostRows = 0;
  #spentMs = 0;
  /** Announced runs that have not been sent yet. */
  #announced: PlannedRun[] = [];
  #computed: Computed[] = [];
  /** True once a message of several runs has failed: only a run by itself shows its own failure. */
  #areSentAlone = false;

  constructor(
    readonly model: ProvenModel,
    readonly requests: readonly DrawnRequest[],
    readonly clock: ProofClock,
    readonly bytesPerRow: number,
  ) {}

  get count(): number {
    return this.#runs;
  }

  get mostRows(): number {
    return this.#mostRows;
  }

  /** Carries over the measured time per row. */
  expectTimesOf(other: ProofRuns): void {
    this.#rows = other.#rows;
    this.#spentMs = other.#spentMs;
  }

  /** Adds the counts of a proof with other values. */
  include(other: ProofRuns): void {
    this.#runs += other.#runs;
    this.#mostRows = Math.max(this.#mostRows, other.#mostRows);
  }

  /** True if the rows are expected to finish within the budget, based on the time per row so far. */
  hasTimeFor(rows: number): boolean {
    return this.clock.now() + this.#expectedMs(rows) <= this.clock.budgetEnd;
  }

  #expectedMs(rows: number): number {
    return (this.#spentMs / this.#rows) * rows;
  }

  /** Announces the next runs, in the order in which their outputs will be wanted; replaces earlier announcements. */
  announce(runs: readonly PlannedRun[]): void {
    this.#announced = [...runs];
    this.#computed = [];
  }

  /** @throws Unverified if the process crashed or time is up; PartituraError if the model rejects the inputs */
  async outputsOf(run: PlannedRun, end: number): Promise<RunOutputs> {
    if (end - this.clock.now() <= 0) throw this.#tooSlow();
    try {
      const outputs = compared((await this.#resultOf(run, end)).outputs);
      this.#runs++;
      this.#mostRows = Math.max(this.#mostRows, rowsOf(run));
      return outputs;
    } catch (error) {
      throw this.clock.now() >= end ? this.#tooSlow() : failureOf(error);
    }
  }

  async #resultOf(run: PlannedRun, end: number): Promise<EngineResult> {
    if (this.#announced[0] === run) await this.#computeAnnounced(end);
    const [computed] = this.#computed;
    if (computed?.run !== run) return this.#runAlone(run, end);
    this.#computed.shift();
    if (computed.result instanceof PartituraError) throw computed.result;
    return computed.result;
  }

  /** Computes the next announced runs in one message, unless they had better be sent alone. */
  async #computeAnnounced(end: number): Promise<void> {
    const runs = this.#announced.splice(0, this.#runsOfNextMessage());
    if (runs.length === 1 || !this.model.runEach) return;
    const startedAt = this.clock.now();
    try {
      const inputs = runs.map((run) => this.#inputsOf(run));
      const results = await this.model.runEach(inputs, Math.ceil(end - startedAt));
      this.#computed = runs.flatMap((run, index) => {
        const result = results[index];
        return result ? [{ run, result }] : [];
      });
      this.#noteTime(rowsOfAll(runs), startedAt);
    } catch (error) {
      if (this.clock.now() >= end) throw error;
      this.#areSentAlone = true;
    }
  }

  #runsOfNextMessage(): number {
    if (this.#areSentAlone || this.#rows === 0 || !this.model.runEach) return 1;
    const next = this.#announced.slice(0, MESSAGE_RUNS);
    const fitting = next.findIndex((_, index) => {
      const rows = rowsOfAll(next.slice(0, index + 1));
      return rows * this.bytesPerRow > MESSAGE_BYTES || this.#expectedMs(rows) > MESSAGE_MS;
    });
    return fitting === -1 ? next.length : Math.max(1, fitting);
  }

  async #runAlone(run: PlannedRun, end: number): Promise<EngineResult> {
    const startedAt = this.clock.now();
    const result = await this.model.run(this.#inputsOf(run), Math.ceil(end - startedAt));
    this.#noteTime(rowsOf(run), startedAt);
    return result;
  }

  #inputsOf(run: PlannedRun): EngineTensor[] {
    return mergeSegments(run, this.requests);
  }

  #noteTime(rows: number, startedAt: number): void {
    this.#rows += rows;
    this.#spentMs += this.clock.now() - startedAt;
  }

  #tooSlow(): Unverified {
    return new Unverified(`trial runs exceeded ${this.clock.essentialMs / 1_000} s`, 'cut-short');
  }
}

function rowsOfAll(runs: readonly PlannedRun[]): number {
  return runs.reduce((rows, run) => rows + rowsOf(run), 0);
}

/** Distinguishes what the model rejects from what could not be verified. */
function failureOf(error: unknown): Unverified | PartituraError {
  const failure = PartituraError.from(error);
  const reason = reasonOf(failure);
  if (failure.code === 'MODEL_CRASHED') return new Crash(`random inputs crashed it: ${reason}`, 'transient');
  if (failure.code === 'INTERNAL') return new Unverified(reason, 'transient');
  return failure;
}
