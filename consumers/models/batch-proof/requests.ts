import { Turns } from '../../../core/turns.js';
import type { EngineTensor, TensorSpec } from '../../engine/engine.js';
import { joinRows, rowOffsets, sliceRows, type RowOffsets, type RowTensor } from '../../batching/rows.js';
import type { PlannedRequest, PlannedRun } from './plan.js';
import { Random } from './random.js';
import { elementsOf, type RowShapes } from './sizes.js';
import { drawRow, SCALES, type Scale, type ValueKind } from './values.js';

/** A drawn request: its inputs and the scale of each row. */
export interface DrawnRequest {
  readonly rows: number;
  readonly inputs: readonly RowTensor[];
  readonly offsets: readonly RowOffsets[];
  readonly scales: readonly Scale[];
  readonly isNonFinite: boolean;
}

/** Maximum time that drawing and comparing may block the event loop, milliseconds. */
export const TURN_MS = 10;
const SEED = 12;

/** Draws the same sequence of requests for a signature every time. */
export class RequestDrawer {
  readonly #random = new Random(SEED);
  readonly #turns = new Turns(TURN_MS);
  #drawnRows = 0;

  constructor(
    readonly specs: readonly TensorSpec[],
    readonly kind: ValueKind,
    readonly shapes: RowShapes,
  ) {}

  async draw({ rows, scale, nonFinite }: PlannedRequest): Promise<DrawnRequest> {
    const scales = Array.from({ length: rows }, () => (scale === 'mixed' ? this.#anyScale() : scale));
    const inputs: RowTensor[] = [];
    for (const [input, spec] of this.specs.entries())
      inputs.push(await this.#drawInput(spec, input, scales, nonFinite));
    this.#drawnRows += rows;
    const isNonFinite = nonFinite !== undefined;
    return { rows, inputs, scales, offsets: inputs.map(rowOffsets), isNonFinite };
  }

  #anyScale(): Scale {
    return SCALES[this.#random.integer(0, SCALES.length - 1)] ?? 1;
  }

  async #drawInput(
    spec: TensorSpec,
    input: number,
    scales: readonly Scale[],
    nonFinite: number | undefined,
  ): Promise<RowTensor> {
    const { name, datatype } = spec;
    const shape = this.shapes[input] ?? [];
    const elements = elementsOf(shape);
    const rows: Buffer[] = [];
    for (const [row, scale] of scales.entries()) {
      await this.#turns.next();
      const rowNumber = this.#drawnRows + row;
      rows.push(drawRow({ datatype, scale, elements, rowNumber, input, nonFinite }, this.kind, this.#random));
    }
    return {
      name,
      datatype,
      shape: [scales.length, ...shape],
      data: Buffer.concat(rows),
    };
  }
}

/** Merges the segments of a batch into inputs with buffers of their own. */
export function mergeSegments(run: PlannedRun, requests: readonly DrawnRequest[]): EngineTensor[] {
  const [first] = requests;
  return (first?.inputs ?? []).map((_, input) => {
    const parts = run.flatMap(({ request, start, rows }) => {
      const drawn = requests[request];
      const tensor = drawn?.inputs[input];
      const offsets = drawn?.offsets[input];
      return tensor && offsets ? [sliceRows(tensor, offsets, start, rows)] : [];
    });
    const { name, datatype, shape, data } = joinRows(parts);
    return { name, datatype, shape, data: new Uint8Array(data) };
  });
}
