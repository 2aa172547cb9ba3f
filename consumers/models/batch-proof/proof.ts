import { Turns } from '../../../core/turns.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { LoadedModel } from '../../engine/engine.js';
import type { ComparedOutput } from './compare.js';
import { Crash, Difference, Refusal, Untried } from './findings.js';
import {
  type AloneOutputs,
  areAllLike,
  changesWithOthers,
  compared,
  isTogether,
  reasonOf,
  refusedTogether,
  requireRows,
  rowsText,
  saysNothing,
} from './outputs.js';
import {
  briefStage,
  essentialStage,
  furtherStage,
  longStage,
  rowsOf,
  rowsOfRequests,
  spoiledStage,
  type Exchange,
  type PlannedRun,
  type Segment,
  type Stage,
} from './plan.js';
import type { ProofClock } from './proof-clock.js';
import { mergeSegments, RequestDrawer, type DrawnRequest, TURN_MS } from './requests.js';
import { bytesOfRow, type RowShapes } from './sizes.js';
import { furtherKinds, hasFloats, type Scale, type ValueKind } from './values.js';

/** Inputs of one run: what is tried must not be what fills the memory. */
const MAX_RUN_BYTES = 8 * 2 ** 20;
/** Lengths for what depends on the size of a batch. */
const LONG_ROWS = [33, 300] as const;

/** A row whose answer differs from the one it has alone by more than rounding, unless the model amplifies that. */
interface NearRow {
  readonly request: number;
  readonly row: number;
  /** In the batch. */
  readonly position: number;
}

/** Rows of one output of one run that are held against copies of themselves. */
const MOST_NEAR_ROWS = 4;
/**
 * Kernels compute the last rows of a batch in another way than those before, so that copies may have a few answers. If
 * most are different, answers depend on the place in the batch.
 */
const COPIES = 16;
const MOST_DISTINCT_COPIES = COPIES / 2;

/** The plan, carried out with one kind of values. */
export class Proof {
  readonly #drawer: RequestDrawer;
  readonly #requests: DrawnRequest[] = [];
  readonly #alone: AloneOutputs[] = [];
  /** The largest answer to inputs of each scale, for each output. */
  readonly #magnitudes: Map<Scale, number>[];
  #runs = 0;
  #rows = 0;
  #mostRows = 0;
  #spentMs = 0;
  #isCut = false;
  readonly #turns = new Turns(TURN_MS);
  #areFurtherAlike = true;
  #isRoundingAmplified = false;
  readonly #copied = new Map<string, AloneOutputs>();
  /** Indices of outputs that were found not to depend on the place in the batch. */
  readonly #outputsTriedByPlace = new Set<number>();

  constructor(
    readonly model: Pick<LoadedModel, 'run' | 'signature'>,
    readonly kind: ValueKind,
    readonly shapes: RowShapes,
    readonly clock: ProofClock,
  ) {
    this.#drawer = new RequestDrawer(model.signature.inputs, kind, shapes);
    this.#magnitudes = model.signature.outputs.map(() => new Map<Scale, number>());
  }

  /** @returns why nothing was proven, if so. @throws Difference */
  async runEssential(): Promise<Refusal | Untried | undefined> {
    try {
      await this.#runStage(essentialStage(), this.clock.essentialEnd);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal || error instanceof Untried) return error;
      throw error;
    }
  }

  /**
   * Tries further values, then further runs, while there is time.
   * @returns a refusal of values like those that were accepted before
   * @throws Difference or Untried
   */
  async goOn(maxBatchRows: number): Promise<Refusal | undefined> {
    await this.#tryFurtherKinds();
    for (const stage of this.#furtherStages(maxBatchRows)) {
      const refusal = await this.#tryStage(stage);
      if (refusal && !stage.isOptional) return refusal;
    }
    return undefined;
  }

  /** True when there was no time for all that was to be tried. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** True when all rows have had the same answer, so that one mixed with another would not show. */
  get areAnswersAlike(): boolean {
    const clean = this.#alone.filter((_, request) => !this.#requests[request]?.isSpoiled);
    return this.#areFurtherAlike && clean.every((outputs) => areAllLike(clean[0], outputs));
  }

  get summary(): string {
    const rounding = this.#isRoundingAmplified ? ', to within amplified rounding' : '';
    const alike = this.areAnswersAlike ? ', but all answers were alike' : '';
    return `rows are independent: ${this.#runs} runs of up to ${rowsText(this.#mostRows)} gave each row its own answer${rounding}${alike}`;
  }

  async #tryFurtherKinds(): Promise<void> {
    for (const kind of furtherKinds(this.model.signature, this.kind)) {
      const proof = new Proof(this.model, kind, this.shapes, this.clock);
      // How long rows take is known from here.
      proof.#rows = this.#rows;
      proof.#spentMs = this.#spentMs;
      await proof.#tryStage(briefStage());
      this.#runs += proof.#runs;
      this.#mostRows = Math.max(this.#mostRows, proof.#mostRows);
      this.#isCut ||= proof.#isCut;
      this.#isRoundingAmplified ||= proof.#isRoundingAmplified;
      this.#areFurtherAlike &&= proof.areAnswersAlike;
    }
  }

  *#furtherStages(maxBatchRows: number): Generator<Stage> {
    if (hasFloats(this.model.signature))
      for (const value of [NaN, Infinity]) yield spoiledStage(value, this.#requests.length);
    yield furtherStage(this.#requests.length);
    const bytes = bytesOfRow(this.model.signature, this.shapes);
    const lengths = [...LONG_ROWS.filter((rows) => rows < maxBatchRows), maxBatchRows + 1];
    for (const rows of lengths) {
      if (rows * bytes > MAX_RUN_BYTES) return;
      yield longStage(rows, this.#requests.length);
    }
  }

  /** Runs a stage if there is time. @returns a refusal of its values */
  async #tryStage(stage: Stage): Promise<Refusal | undefined> {
    if (!this.#hasTimeFor(rowsOfRequests(stage))) {
      this.#isCut = true;
      return undefined;
    }
    try {
      await this.#runStage(stage, Math.max(this.clock.essentialEnd, this.clock.budgetEnd), true);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  /** Judges by what rows have taken so far. */
  #hasTimeFor(rows: number): boolean {
    const expectedMs = (this.#spentMs / this.#rows) * rows;
    return this.clock.now() + expectedMs <= this.clock.budgetEnd;
  }

  /** @param end when a run that is still under way fails */
  async #runStage(stage: Stage, end: number, isLimited = false): Promise<void> {
    const isTimeUp = (rows: number): boolean => {
      const isUp = isLimited && !this.#hasTimeFor(rows);
      this.#isCut ||= isUp;
      return isUp;
    };
    for (const planned of stage.requests) await this.#runAlone(await this.#drawer.draw(planned), stage, end);
    for (const run of stage.runs) {
      if (isTimeUp(rowsOf(run))) return;
      await this.#compare(run, end);
    }
    for (const exchange of stage.exchanges ?? []) {
      if (isTimeUp(3 * rowsOf(exchange.run))) return;
      await this.#exchange(exchange, end);
    }
  }

  async #runAlone(request: DrawnRequest, stage: Stage, end: number): Promise<void> {
    const { rows, scales, isSpoiled } = request;
    const run = [{ request: this.#requests.push(request) - 1, start: 0, rows }];
    try {
      const outputs = await this.#outputsOf(run, end);
      requireRows(outputs, rows);
      if (!isSpoiled && saysNothing(outputs)) throw new Refusal('it answers NaN or infinity only');
      this.#alone.push(outputs);
      if (!isSpoiled) this.#noteMagnitudes(outputs, scales);
    } catch (error) {
      if (stage.isOptional) this.#requests.pop();
      if (error instanceof PartituraError) throw new Refusal(reasonOf(error));
      if (!stage.isOptional || !(error instanceof Untried)) throw error;
      this.#isCut ||= !(error instanceof Crash);
      throw new Refusal(error.message);
    }
  }

  #noteMagnitudes(outputs: AloneOutputs, scales: readonly Scale[]): void {
    outputs.forEach((output, index) => {
      const magnitudes = this.#magnitudes[index];
      scales.forEach((scale, row) =>
        magnitudes?.set(scale, Math.max(magnitudes.get(scale) ?? 0, output.magnitude(row))),
      );
    });
  }

  async #compare(run: PlannedRun, end: number): Promise<AloneOutputs> {
    const outputs = await this.#outputsOf(run, end).catch((error: unknown) => {
      throw error instanceof PartituraError ? new Difference(refusedTogether(run, error)) : error;
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
   * Tells rounding that the model amplifies from mixing: among copies of itself a row is alone, but in a batch of the same
   * size, which takes the same kernels. Its answer must be the same to the last bit.
   */
  async #isRounding(
    near: readonly NearRow[],
    output: ComparedOutput,
    index: number,
    end: number,
  ): Promise<boolean> {
    if (near.length > 0) this.#isRoundingAmplified = true;
    const step = Math.ceil(near.length / MOST_NEAR_ROWS);
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
      if (!copies || copies.distinctRows > MOST_DISTINCT_COPIES) return false;
    }
    return true;
  }

  /** One output of a batch of copies of a row. Small batches are computed once. */
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
    const outputs = await this.#outputsOf(Array<Segment>(count).fill(copy), end);
    if (count < COPIES) this.#copied.set(key, outputs);
    return outputs[index];
  }

  /** Where the same run twice differs, kernels are not steady; then what `#compare` allows is all that is asked. */
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
        throw new Difference(changesWithOthers(output.tensor.name));
    }
  }

  /** Finds rows that are not what they were alone. @returns undefined where one is more than near to it */
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
    if (!alone || !drawn || !alone.hasRowsLike(output)) return undefined;
    // Kernels for batches of another size may treat NaN differently: what is spoiled is compared by exchange only.
    if (drawn.isSpoiled) return [];
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

  /** Says what the difference comes from: from the batch, unless the model answers at random. */
  async #explain(run: PlannedRun, name: string, index: number, end: number): Promise<string> {
    const again: PlannedRun = [{ request: 0, start: 0, rows: this.#requests[0]?.rows ?? 0 }];
    const output = (await this.#outputsOf(again, end))[index];
    if (output && (await this.#unequalRows(again, output, index))?.length !== 0)
      return `output '${name}' differs from run to run for the same input`;
    return isTogether(run)
      ? changesWithOthers(name)
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
      if (failure.code === 'MODEL_CRASHED') throw new Crash(`random inputs crashed it: ${reason}`, 'passing');
      if (failure.code === 'INTERNAL') throw new Untried(reason, 'passing');
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
    return new Untried(`too slow to be tried within ${this.clock.essentialMs / 1_000} s`, 'cut');
  }
}
