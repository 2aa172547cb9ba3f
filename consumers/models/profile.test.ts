import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Engine, LoadedModel, ModelSource } from '../engine/engine.js';
import { createEngine } from '../engine/index.js';
import { DIGITS, DIGITS_ONNX, fixture, sourceOf } from '../../testing/engine-models.js';
import { DIGITS as SIGNATURE } from '../../testing/records.js';
import { loadAndProfile, sufficientRows } from './profile.js';

const SOURCE: ModelSource = { model: 'm', version: '1', directory: DIGITS_ONNX, format: 'onnx' };

/** Loads models whose batch times depend on their cores. */
class EngineOfCores implements Engine {
  readonly threads: number = 1;
  readonly coreChoices = [4, 1];
  readonly events: string[] = [];

  constructor(
    readonly microsWith: Record<number, number>,
    readonly loadMs = 0,
  ) {}

  load({ cores = 4 }: ModelSource): Promise<LoadedModel> {
    this.events.push(`load ${cores}`);
    const computeMicros = this.microsWith[cores];
    if (computeMicros === undefined) return Promise.reject(new Error('no memory'));
    let isInline = false;
    return Promise.resolve({
      signature: SIGNATURE,
      backend: 'onnxruntime',
      cores,
      loadMs: this.loadMs,
      get isInline() {
        return isInline;
      },
      threads: 1,
      replicateToAllThreads: () => Promise.resolve(void this.events.push('replicate')),
      shrinkToOneThread: () => Promise.resolve(void this.events.push('shrink')),
      moveInline: () => Promise.resolve(void (isInline = true)),
      run: () => Promise.resolve({ outputs: [], computeMicros }),
      unload: () => Promise.resolve(void this.events.push(`unload ${cores}`)),
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const triedOut = async (
  engine: EngineOfCores,
): Promise<{ cores: number | null | undefined; events: string[] }> => {
  const { profile } = await loadAndProfile(engine, SOURCE, { maxRows: 16, batchable: true, inlineMicros: 0 });
  return { cores: profile?.cores, events: engine.events };
};

test('the faster number of cores is kept and the other variant is unloaded', async () => {
  assert.deepEqual(await triedOut(new EngineOfCores({ 4: 100, 1: 300 })), {
    cores: 4,
    events: ['load 4', 'load 1', 'unload 1'],
  });
  assert.deepEqual(await triedOut(new EngineOfCores({ 4: 100, 1: 90 })), {
    cores: 1,
    events: ['load 4', 'load 1', 'unload 4'],
  });
});

test('a model that cannot be loaded twice or loads slowly keeps all cores', async () => {
  assert.equal((await triedOut(new EngineOfCores({ 4: 100 }))).cores, 4);
  assert.deepEqual(await triedOut(new EngineOfCores({ 4: 100, 1: 90 }, 300)), {
    cores: 4,
    events: ['load 4'],
  });
});

test('a model runs on the event loop if its best batch is short enough, and never if that is disabled', async () => {
  const isInline = async (microsOfABatch: number, inlineMicros: number): Promise<boolean | undefined> => {
    const engine = new EngineOfCores({ 4: microsOfABatch, 1: microsOfABatch });
    return (await loadAndProfile(engine, SOURCE, { maxRows: 16, batchable: true, inlineMicros })).profile
      ?.inline;
  };
  assert.equal(await isInline(900, 1_000), true);
  assert.equal(await isInline(1_100, 1_000), false);
  assert.equal(await isInline(1, 0), false);
});

test('batches of a slow model are limited by their duration, those of a fast one by the configured limit', () => {
  const measured = {
    microsAlone: 1_000,
    microsPerRow: 2_500,
    bestBatchRows: 16,
    cores: null,
    threads: 1,
    inline: false,
    threadsGain: null,
  };
  const limits = { maxRows: 1_024, batchable: true, inlineMicros: 1_000 };
  const rows = (changes: object, stillGains = false): number =>
    sufficientRows({ profile: { ...measured, ...changes }, stillGains }, limits);
  assert.equal(rows({}), 40);
  assert.equal(rows({ bestBatchRows: 64 }), 64);
  assert.equal(rows({ microsPerRow: 1 }), 1_024);
  assert.equal(rows({ microsPerRow: 10, inline: true }), 100);
  assert.equal(
    rows({ microsPerRow: 60_000, bestBatchRows: 1 }, true),
    256,
    'only one size could be measured',
  );
  assert.equal(sufficientRows({ profile: null, stillGains: true }, limits), 256);
});

test('a slow model is replicated to all threads unless they gain nothing', async () => {
  class Busy extends EngineOfCores {
    override readonly threads = 2;
  }
  const engine = new Busy({ 4: 20_000, 1: 20_000 });
  const { profile } = await loadAndProfile(engine, SOURCE, {
    maxRows: 1,
    batchable: true,
    inlineMicros: 1_000,
  });
  assert.ok(engine.events.includes('replicate'));
  assert.equal(engine.events.includes('shrink'), (profile?.threadsGain ?? 2) < 1.1);
  const light = new Busy({ 4: 10, 1: 10 });
  await loadAndProfile(light, SOURCE, { maxRows: 1, batchable: true, inlineMicros: 1_000 });
  assert.ok(!light.events.includes('replicate'), 'a fast model is not replicated');
});

describe('on real engines', () => {
  test('the load time of a model excludes the start of TensorFlow', async () => {
    const fresh = await createEngine({ threads: 2 });
    try {
      const source = await sourceOf(DIGITS);
      const startedAt = performance.now();
      const { loadMs } = await fresh.load(source);
      assert.ok(loadMs < (performance.now() - startedAt) / 2, `${loadMs} ms`);
    } finally {
      await fresh.close();
    }
  });

  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 2 });
  });
  after(() => engine.close());

  test('both formats of the digits model are profiled, including threads', async () => {
    for (const directory of [DIGITS, DIGITS_ONNX]) {
      const { loaded, profile, problem } = await loadAndProfile(engine, await sourceOf(directory), {
        maxRows: 256,
        batchable: true,
        inlineMicros: 0,
      });
      assert.equal(problem, undefined);
      assert.ok(profile && profile.bestBatchRows >= 1 && profile.microsPerRow > 0, directory);
      assert.ok((profile.threadsGain ?? 0) > 0);
      assert.equal(profile.threads, (profile.threadsGain ?? 0) < 1.1 ? 1 : 2);
      await loaded.unload();
    }
  });

  test('models with strings, a single row or any width are profiled', async () => {
    for (const model of ['types', 'fixed', 'sum', 'types-onnx', 'fixed-onnx', 'sum-onnx', 'labels-onnx']) {
      const batchable = !model.startsWith('fixed');
      const { loaded, profile, problem } = await loadAndProfile(engine, await sourceOf(fixture(model)), {
        maxRows: batchable ? 64 : 1,
        batchable,
        inlineMicros: 0,
      });
      assert.equal(problem, undefined, model);
      if (!batchable) assert.equal(profile?.bestBatchRows, 1);
      await loaded.unload();
    }
  });
});
