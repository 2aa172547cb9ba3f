import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartituraError } from '../../../schemas/errors.js';
import type { EngineResult, EngineTensor } from '../../engine/engine.js';
import { elementsOf, tensor } from '../../../testing/engine-models.js';
import type { ProvenModel } from './proof-runs.js';
import { proveBatching } from './prove.js';

type Compute = (rows: unknown[]) => unknown[];

/** A model with one FP32 input and output in a process that takes a millisecond per message. */
class CountingModel implements ProvenModel {
  readonly signature = {
    inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1] }],
    outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1] }],
  };
  messages = 0;
  readonly inMessage: number[] = [];

  constructor(readonly compute: Compute) {}

  run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    this.messages++;
    return Promise.resolve(this.#compute(inputs));
  }

  runEach(batches: readonly (readonly EngineTensor[])[]): Promise<(EngineResult | PartituraError)[]> {
    this.messages++;
    this.inMessage.push(batches.length);
    return Promise.resolve(batches.map((inputs) => this.#outcome(inputs)));
  }

  #outcome(inputs: readonly EngineTensor[]): EngineResult | PartituraError {
    try {
      return this.#compute(inputs);
    } catch (error) {
      const failure = PartituraError.from(error);
      if (failure.code === 'MODEL_CRASHED') throw failure;
      return failure;
    }
  }

  #compute([input]: readonly EngineTensor[]): EngineResult {
    const answer = this.compute(elementsOf(input));
    return { outputs: [tensor('y', 'FP32', [answer.length], answer)], computeMicros: 1 };
  }

  get now(): () => number {
    return () => this.messages;
  }
}

const LIMITS = { maxBatchRows: 64, budgetMs: 60_000, essentialMs: 60_000 };

/** Proves a model with and without messages of several runs. */
async function provenBothWays(compute: Compute): Promise<{ verdicts: unknown[]; grouped: CountingModel }> {
  const grouped = new CountingModel(compute);
  const single = new CountingModel(compute);
  const { signature } = single;
  const one: ProvenModel = { signature, run: (inputs) => single.run(inputs) };
  const verdicts = [
    await proveBatching(grouped, { ...LIMITS, now: grouped.now }),
    await proveBatching(one, { ...LIMITS, now: single.now }),
  ];
  return { verdicts, grouped };
}

test('a proof sends several runs in one message and has the same verdict', async () => {
  const { verdicts, grouped } = await provenBothWays((rows) => rows);
  assert.deepEqual(verdicts[0], verdicts[1]);
  assert.match(JSON.stringify(verdicts[0]), /"batchable":true.* 107 runs /);
  assert.ok(grouped.messages < 40, `${grouped.messages} messages`);
});

test('mixing rows are found whichever way the runs are sent', async () => {
  const { verdicts } = await provenBothWays((rows) => rows.map((row) => Number(row) + rows.length));
  assert.deepEqual(verdicts[0], verdicts[1]);
  assert.match(JSON.stringify(verdicts[0]), /"batchable":false/);
});

test('a run that the model rejects in a message of several is rejected as if it were alone', async () => {
  const { verdicts } = await provenBothWays((rows) => {
    if (rows.length > 3) throw new PartituraError('MODEL_FAILED', 'too many rows');
    return rows;
  });
  assert.deepEqual(verdicts[0], verdicts[1]);
  assert.match(
    JSON.stringify(verdicts[0]),
    /rejects requests in a batch that it accepts alone: too many rows/,
  );
});

test('after a crash each run is sent alone, so that only the run that crashed is blamed', async () => {
  const { verdicts, grouped } = await provenBothWays((rows) => {
    if (rows.some((row) => Number.isNaN(row)))
      throw new PartituraError('MODEL_CRASHED', 'its process exited');
    return rows;
  });
  assert.deepEqual(verdicts[0], verdicts[1]);
  assert.ok(grouped.inMessage.every((runs) => runs > 1));
});

test('runs of a slow model are sent alone, since time is checked between messages', async () => {
  const slow = new CountingModel((rows) => rows);
  const { batchable } = await proveBatching(slow, { ...LIMITS, now: () => slow.messages * 1_000 });
  assert.equal(batchable, true);
  assert.deepEqual(slow.inMessage, []);
});
