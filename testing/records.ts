import { pino } from 'pino';
import type { BatchClock } from '../consumers/batching/clock.js';
import type { Answer, Job } from '../consumers/batching/batch.js';
import type { RowTensor } from '../consumers/batching/rows.js';
import type { EngineResult, EngineTensor, ModelSignature } from '../consumers/engine/engine.js';
import type { KafkaRecord } from '../kafka/port.js';
import { encodeElements } from '../schemas/tensor.js';

export const silent = pino({ level: 'silent' });

export const DIGITS: ModelSignature = {
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
};

export function exampleRecord(changes: Partial<KafkaRecord> = {}): KafkaRecord {
  return {
    topic: 'p.digits.requests',
    partition: 0,
    offset: 0,
    key: Buffer.from('key'),
    value: Buffer.from('value'),
    headers: {},
    timestamp: 0,
    ...changes,
  };
}

/** Runs all pending callbacks without advancing time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that advances only on request. */
export class ManualClock implements BatchClock {
  time = 0;
  #deferred: (() => void)[] = [];
  #timers: { readonly at: number; readonly work: () => void }[] = [];

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.time;
  }

  defer(work: () => void): void {
    this.#deferred.push(work);
  }

  after(ms: number, work: () => void): void {
    this.#timers.push({ at: this.time + ms, work });
  }

  /** Advances time and runs all callbacks that are due. */
  async pass(ms = 0): Promise<void> {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { work } of due) work();
    for (let turn = 0; turn < 20; turn++) {
      for (const work of this.#deferred.splice(0)) work();
      await Promise.resolve();
    }
  }
}

/** Result of a job: its answers or its errors. */
export interface JobResult {
  readonly answers: Answer[];
  readonly errors: unknown[];
}

export function int32(name: string, shape: readonly number[], elements: readonly number[]): RowTensor {
  return { name, datatype: 'INT32', shape, data: encodeElements('INT32', elements, name) };
}

/** Creates a job with one row per element. */
export function jobOf(elements: readonly number[], changes: Partial<Job> = {}): Job & JobResult {
  const answers: Answer[] = [];
  const errors: unknown[] = [];
  return {
    inputs: [int32('x', [elements.length, 1], elements)],
    rows: elements.length,
    laneKey: '1',
    mustBeAlone: false,
    deadline: null,
    arrivedAt: 0,
    answered: (answer) => void answers.push(answer),
    failed: (error) => void errors.push(error),
    ...changes,
    answers,
    errors,
  };
}

/** A batch in the engine, which the test answers or fails. */
export interface HeldBatch {
  readonly inputs: readonly EngineTensor[];
  readonly rows: number;
  /** Answers with the inputs as outputs. */
  echo(): void;
  /** Answers with only the first rows of the inputs. */
  shorten(count: number): void;
  fail(error: Error): void;
}

/** An engine whose batches wait for the test. */
export class HeldEngine {
  readonly batches: HeldBatch[] = [];

  readonly run = (inputs: readonly EngineTensor[]): Promise<EngineResult> =>
    new Promise((resolve, reject) => {
      const rows = inputs[0]?.shape[0] ?? 1;
      this.batches.push({
        inputs,
        rows,
        echo: () => resolve({ outputs: inputs, computeMicros: 1_000 }),
        shorten: (count: number) =>
          resolve({
            outputs: inputs.map((input) => ({
              ...input,
              shape: [count, ...input.shape.slice(1)],
              data: input.data.slice(0, (input.data.length / rows) * count),
            })),
            computeMicros: 1_000,
          }),
        fail: reject,
      });
    });
}
