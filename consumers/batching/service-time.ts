/** Weight of the newest batch. */
const EWMA_WEIGHT = 0.2;

/** Exponentially weighted service times of batches, microseconds; 0 before the first. */
export class ServiceTime {
  #microsPerRow = 0;
  #microsPerBatch = 0;

  get microsPerRow(): number {
    return this.#microsPerRow;
  }

  get microsPerBatch(): number {
    return this.#microsPerBatch;
  }

  /**
   * Sets the times that are known before the first batch.
   * @param microsPerBatch of the shortest batch there can be: the expected wait must not be too long
   */
  prime(microsPerRow: number, microsPerBatch: number): void {
    this.#microsPerRow = microsPerRow;
    this.#microsPerBatch = microsPerBatch;
  }

  observe(computeMicros: number, rows: number): void {
    this.#microsPerRow = average(this.#microsPerRow, computeMicros / Math.max(1, rows));
    this.#microsPerBatch = average(this.#microsPerBatch, computeMicros);
  }
}

function average(known: number, newest: number): number {
  return known === 0 ? newest : known + EWMA_WEIGHT * (newest - known);
}
