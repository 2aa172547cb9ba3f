import { Turns } from '../../../core/turns.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { ComparedOutput } from './compare.js';
import { Crash, Difference, Rejection, Unverified } from './findings.js';
import {
  type RunOutputs,
  areAllIdentical,
  dependsOnOthers,
  hasSeveralSegments,
  reasonOf,
  rejectedInBatch,
  requireRows,
  rowsText,
  isUninformative,
} from './outputs.js';
import {
  briefStage,
  essentialStage,
  furtherStage,
  longStage,
  rowsOf,
  rowsOfRequests,
  runsOfExchange,
  nonFiniteStage,
  type Exchange,
  type PlannedRun,
  type Segment,
  type Stage,
} from './plan.js';
import type { ProofClock } from './proof-clock.js';
import { ProofRuns, type ProvenModel } from './proof-runs.js';
import { RequestDrawer, type DrawnRequest, TURN_MS } from './requests.js';
import { bytesOfRow, type RowShapes } from './sizes.js';
import { furtherKinds, hasFloats, type Scale, type ValueKind } from './values.js';

/** Maximum input size of one run, so that the proof does not exhaust memory. */
const MAX_RUN_BYTES = 8 * 2 ** 20;
/** Request lengths that reveal a dependency on the batch size. */
const LONG_ROWS = [33, 300] as const;

/** A row whose output differs from that of the row alone by more than rounding, unless the model amplifies rounding. */
interface NearRow {
  readonly request: number;
  readonly row: number;
  /** Position in the batch. */
  readonly position: number;
}

/** Maximum rows of one output of one run that are compared with copies of themselves. */
const MAX_NEAR_ROWS = 4;
/**
 * Size of a batch of copies. Kernels may compute the last rows of a batch differently, so that copies may have a few
 * distinct outputs. If most are distinct, outputs depend on the position in the batch.
 */
const COPIES = 16;
const MAX_DISTINCT_COPIES = COPIES / 2;

/** Executes the plan with one kind of values. */
export class Proof {
  readonly #drawer: RequestDrawer;
  readonly #requests: DrawnRequest[] = [];
  readonly #alone: RunOutputs[] = [];
  /** Largest output value for inputs of each scale, by output. */
  readonly #magnitudes: Map<Scale, number>[];
  readonly #runs: ProofRuns;
  #isCutShort = false;
  readonly #turns = new Turns(TURN_MS);
  #areFurtherIdentical = true;
  #isRoundingAmplified = false;
  readonly #copied = new Map<string, RunOutputs>();
  /** Indices of outputs that were checked not to depend on the position in the batch. */
  readonly #outputsTriedByPlace = new Set<number>();

  constructor(
    readonly model: ProvenModel,
    readonly kind: ValueKind,
    readonly shapes: RowShapes,
    readonly clock: ProofClock,
  ) {
    this.#drawer = new RequestDrawer(model.signature.inputs, kind, shapes);
    this.#runs = new ProofRuns(model, this.#requests, clock, bytesOfRow(model.signature, shapes));
    this.#magnitudes = model.signature.outputs.map(() => new Map<Scale, number>());
  }

  /** Runs the essential stage. @returns the reason if nothing could be proven. @throws Difference */
  async runEssential(): Promise<Rejection | Unverified | undefined> {
    try {
      await this.#runStage(essentialStage(), this.clock.essentialEnd);
      return undefined;
    } catch (error) {
      if (error instanceof Rejection || error instanceof Unverified) return error;
      throw error;
    }
  }

  /**
   * Tries further values, then further runs, while there is time.
   * @returns a rejection of values similar to those accepted before
   * @throws Difference or Unverified
   */
  async runFurther(maxBatchRows: number): Promise<Rejection | undefined> {
    await this.#tryFurtherKinds();
    for (const stage of this.#furtherStages(maxBatchRows)) {
      const rejection = await this.#tryStage(stage);
      if (rejection && !stage.isOptional) return rejection;
    }
    return undefined;
  }

  /** True if there was not enough time for all runs. */
  get isCutShort(): boolean {
    return this.#isCutShort;
  }

  /** True if all rows had the same output, so that mixed rows would go unnoticed. */
  get areOutputsIdentical(): boolean {
    const clean = this.#alone.filter((_, request) => !this.#requests[request]?.isNonFinite);
    return this.#areFurtherIdentical && clean.every((outputs) => areAllIdentical(clean[0], outputs));
  }

  get summary(): string {
    const rounding = this.#isRoundingAmplified ? ', within amplified rounding' : '';
    const identical = this.areOutputsIdentical ? ', but all outputs were identical' : '';
    return `rows are independent: verified by ${this.#runs.count} runs of up to ${rowsText(this.#runs.mostRows)}${rounding}${identical}`;
  }

  async #tryFurtherKinds(): Promise<void> {
    for (const kind of furtherKinds(this.model.signature, this.kind)) {
      const proof = new Proof(this.model, kind, this.shapes, this.clock);
      proof.#runs.expectTimesOf(this.#runs);
      await proof.#tryStage(briefStage());
      this.#runs.include(proof.#runs);
      this.#isCutShort ||= proof.#isCutShort;
      this.#isRoundingAmplified ||= proof.#isRoundingAmplified;
      this.#areFurtherIdentical &&= proof.areOutputsIdentical;
    }
  }

  *#furtherStages(maxBatchRows: number): Generator<Stage> {
    if (hasFloats(this.model.signature))
      for (const value of [NaN, Infinity]) yield nonFiniteStage(value, this.#requests.length);
    yield furtherStage(this.#requests.length);
    const bytes = bytesOfRow(this.model.signature, this.shapes);
    const lengths = [...LONG_ROWS.filter((rows) => rows < maxBatchRows), maxBatchRows + 1];
    for (const rows of lengths) {
      if (rows * bytes > MAX_RUN_BYTES) return;
      yield longStage(rows, this.#requests.length);
    }
  }

  /** Runs a stage if there is time. @returns a rejection of its values */
  async #tryStage(stage: Stage): Promise<Rejection | undefined> {
    if (!this.#runs.hasTimeFor(rowsOfRequests(stage))) {
      this.#isCutShort = true;
      return undefined;
    }
    try {
      await this.#runStage(stage, Math.max(this.clock.essentialEnd, this.clock.budgetEnd), true);
      return undefined;
    } catch (error) {
      if (error instanceof Rejection) return error;
      throw error;
    }
  }

  /** @param end deadline of its runs */
  async #runStage(stage: Stage, end: number, isLimited = false): Promise<void> {
    const isTimeUp = (rows: number): boolean => {
      const isUp = isLimited && !this.#runs.hasTimeFor(rows);
      this.#isCutShort ||= isUp;
      return isUp;
    };
    await this.#runAllAlone(stage, end);
    this.#runs.announce([...stage.runs, ...(stage.exchanges ?? []).flatMap(runsOfExchange)]);
    for (const run of stage.runs) {
      if (isTimeUp(rowsOf(run))) return;
      await this.#compare(run, end);
    }
    for (const exchange of stage.exchanges ?? []) {
      if (isTimeUp(3 * rowsOf(exchange.run))) return;
      await this.#exchange(exchange, end);
    }
  }

  /** Runs each new request of a stage alone. */
  async #runAllAlone(stage: Stage, end: number): Promise<void> {
    const runs: PlannedRun[] = [];
    for (const planned of stage.requests) {
      const request = this.#requests.push(await this.#drawer.draw(planned)) - 1;
      runs.push([{ request, start: 0, rows: planned.rows }]);
    }
    this.#runs.announce(runs);
    try {
      for (const run of runs) await this.#runAlone(run, end);
    } catch (error) {
      if (stage.isOptional) this.#requests.length = this.#alone.length;
      if (error instanceof PartituraError) throw new Rejection(reasonOf(error));
      if (!stage.isOptional || !(error instanceof Unverified)) throw error;
      this.#isCutShort ||= !(error instanceof Crash);
      throw new Rejection(error.message);
    }
  }

  async #runAlone(run: PlannedRun, end: number): Promise<void> {
    const outputs = await this.#runs.outputsOf(run, end);
    requireRows(outputs, rowsOf(run));
    const { scales, isNonFinite } = this.#requests[this.#alone.length] ?? {};
    if (!isNonFinite && isUninformative(outputs)) throw new Rejection('its outputs are all NaN or infinite');
    this.#alone.push(outputs);
    if (!isNonFinite && scales) this.#noteMagnitudes(outputs, scales);
  }

  #noteMagnitudes(outputs: RunOutputs, scales: readonly Scale[]): void {
    outputs.forEach((output, index) => {
      const magnitudes = this.#magnitudes[index];
      scales.forEach((scale, row) =>
        magnitudes?.set(scale, Math.max(magnitudes.get(scale) ?? 0, output.magnitude(row))),
      );
    });
  }

  async #compare(run: PlannedRun, end: number): Promise<RunOutputs> {
    const outputs = await this.#runs.outputsOf(run, end).catch((error: unknown) => {
      throw error instanceof PartituraError ? new Difference(rejectedInBatch(run, error)) : error;
    });
    requireRows(outputs, rowsOf(run));
    for (const [index, output] of outputs.entries()) {
      const near = await this.#unequalRows(run, output, index);
      if (near && (await this.#isRounding(near, output, index, end))) continue;
      throw new Difference(await this.#explain(run, output.tensor.name, index, end));
    }
    return outputs;
  }

  /**
   * Distinguishes amplified rounding from mixed rows: in a batch of copies of itself, a row has no other rows, but the batch
   * has the same size and uses the same kernels, so its output must be bitwise the same.
   */
  async #isRounding(
    near: readonly NearRow[],
    output: ComparedOutput,
    index: number,
    end: number,
  ): Promise<boolean> {
    if (near.length > 0) this.#isRoundingAmplified = true;
    const step = Math.ceil(near.length / MAX_NEAR_ROWS);
    for (const { request, row, position } of near.filter((_, place) => place % step === 0)) {
      const alone = this.#alone[request]?.[index];
      const isSameAmongCopies = async (of: ComparedOutput | undefined, place: number): Promise<boolean> => {
        if (of?.rows === 1) return true;
        const copies = await this.#copies({ request, row }, of?.rows ?? 0, index, end);
        return of !== undefined && copies?.hasSameBytes(place, of, place) === true;
      };
      if (!(await isSameAmongCopies(output, position)) || !(await isSameAmongCopies(alone, row)))
        return false;
      if (this.#outputsTriedByPlace.has(index)) continue;
      this.#outputsTriedByPlace.add(index);
      const copies = await this.#copies({ request, row }, COPIES, index, end);
      if (!copies || copies.distinctRows > MAX_DISTINCT_COPIES) return false;
    }
    return true;
  }

  /** Computes one output of a batch of copies of a row, caching small batches. */
  async #copies(
    { request, row }: Pick<NearRow, 'request' | 'row'>,
    count: number,
    index: number,
    end: number,
  ): Promise<ComparedOutput | undefined> {
    const key = `${request}.${row} × ${count}`;
    const known = this.#copied.get(key);
    if (known) return known[index];
    const copy = { request, start: row, rows: 1 };
    const outputs = await this.#runs.outputsOf(Array<Segment>(count).fill(copy), end);
    if (count < COPIES) this.#copied.set(key, outputs);
    return outputs[index];
  }

  /**
   * Runs an exchange. If repeating the same run differs, kernels are nondeterministic, and only the tolerance of `#compare`
   * applies.
   */
  async #exchange({ run, exchanged, kept }: Exchange, end: number): Promise<void> {
    const outputs = await this.#compare(run, end);
    const again = await this.#compare(run, end);
    const others = await this.#compare(exchanged, end);
    const start = rowsOf(run.slice(0, kept));
    const rows = run[kept]?.rows ?? 0;
    for (const [index, output] of outputs.entries()) {
      const isSameIn = (other: ComparedOutput | undefined): boolean => {
        for (let row = start; row < start + rows; row++)
          if (!other || !output.hasSameBytes(row, other, row)) return false;
        return true;
      };
      if (isSameIn(again[index]) && !isSameIn(others[index]))
        throw new Difference(dependsOnOthers(output.tensor.name));
    }
  }

  /** Finds rows that differ from the same rows alone. @returns undefined if a difference exceeds amplified rounding */
  async #unequalRows(run: PlannedRun, output: ComparedOutput, index: number): Promise<NearRow[] | undefined> {
    const near: NearRow[] = [];
    let position = 0;
    for (const segment of run) {
      const rows = await this.#unequalRowsOf(segment, output, index, position);
      if (!rows) return undefined;
      near.push(...rows);
      position += segment.rows;
    }
    return near;
  }

  async #unequalRowsOf(
    { request, start, rows }: Segment,
    output: ComparedOutput,
    index: number,
    position: number,
  ): Promise<NearRow[] | undefined> {
    const alone = this.#alone[request]?.[index];
    const drawn = this.#requests[request];
    if (!alone || !drawn || !alone.hasSameRowShape(output)) return undefined;
    // Kernels for other batch sizes may treat NaN differently, so non-finite rows are compared by exchange only.
    if (drawn.isNonFinite) return [];
    const near: NearRow[] = [];
    for (let row = start; row < start + rows; row++) {
      await this.#turns.next();
      const place = position + row - start;
      const magnitude = this.#magnitudes[index]?.get(drawn.scales[row] ?? 1) ?? 0;
      if (alone.matches(row, output, place, magnitude)) continue;
      if (!alone.isNear(row, output, place, magnitude)) return undefined;
      near.push({ request, row, position: place });
    }
    return near;
  }

  /** Explains a difference: it is caused by the batch, unless the model is nondeterministic. */
  async #explain(run: PlannedRun, name: string, index: number, end: number): Promise<string> {
    const again: PlannedRun = [{ request: 0, start: 0, rows: this.#requests[0]?.rows ?? 0 }];
    const output = (await this.#runs.outputsOf(again, end))[index];
    if (output && (await this.#unequalRows(again, output, index))?.length !== 0)
      return `output '${name}' differs from run to run for the same input`;
    return hasSeveralSegments(run)
      ? dependsOnOthers(name)
      : `output '${name}' of a request changes when the request is split`;
  }
}
