import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DIGITS, jobOf, settle, silent } from '../../testing/records.js';
import type {
  Engine,
  EngineResult,
  EngineTensor,
  LoadedModel,
  ModelSource,
  TensorSpec,
} from '../engine/engine.js';
import { runtimeName } from '../engine/runtime-version.js';
import { ModelCatalog } from './catalog.js';
import { hashFiles } from './files-hash.js';
import { VerdictCache } from './verdict-cache.js';
import { TestRepository } from '../../testing/model-repository.js';

const SOON_MS = 20_000;

/** An engine that loads all versions not in `broken` and records events. */
class FakeEngine implements Engine {
  readonly threads = 1;
  readonly coreChoices = [1];
  readonly events: string[] = [];
  readonly broken = new Set<string>();
  /** Engine of trials; without one nothing is proven. */
  declare isolated?: Engine;
  /** Promise that runs wait for. */
  gate: Promise<void> = Promise.resolve();

  load({ model, version }: ModelSource): Promise<LoadedModel> {
    const name = `${model}/${version}`;
    this.events.push(`load ${name}`);
    if (this.broken.has(name)) return Promise.reject(new Error('weights are missing'));
    return Promise.resolve({
      signature: DIGITS,
      backend: 'wasm',
      loadMs: 0,
      threads: 1,
      replicateToAllThreads: () => Promise.resolve(),
      shrinkToOneThread: () => Promise.resolve(),
      isInline: false,
      moveInline: () => Promise.resolve(),
      run: (inputs) => this.#run(inputs),
      unload: () => {
        this.events.push(`unload ${name}`);
        return Promise.resolve();
      },
    });
  }

  async #run(inputs: readonly EngineTensor[]): Promise<EngineResult> {
    await this.gate;
    return { outputs: inputs, computeMicros: 1 };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

interface Watched {
  readonly repository: TestRepository;
  readonly engine: FakeEngine;
  readonly catalog: ModelCatalog;
  /** Called with each change; tests may replace it to fail. */
  onChange: (model: string) => Promise<void>;
  /** Version policy; undefined to serve nothing. */
  policy: string | undefined;
}

async function watching(
  context: TestContext,
  versions: readonly string[],
  policy = 'latest',
  proofsFirstMs?: number,
): Promise<Watched> {
  const repository = await TestRepository.create(context);
  for (const version of versions) await repository.write(`${version}/saved_model.pb`);
  const engine = new FakeEngine();
  const options = {
    root: repository.root,
    policyOf: () => watched.policy,
    policyRevision: () => 0,
    onApplied: () => undefined,
    pollMs: 1,
    isFatal: () => false,
    onChange: (model: string): Promise<void> => watched.onChange(model),
    maxBatchRows: 8,
    maxBatchDelayMs: 0,
    inlineMicros: 0,
    batchCheckMs: 0,
    ...(proofsFirstMs !== undefined && { proofsFirstMs }),
  };
  const catalog = new ModelCatalog(engine, options, silent, {
    observe: () => undefined,
    whenBelowLimit: () => undefined,
    verdicts: new VerdictCache(undefined, silent),
    onBatchCheck: () => undefined,
  });
  context.after(() => catalog.close());
  const watched: Watched = {
    repository,
    engine,
    catalog,
    policy,
    onChange: (model) => {
      engine.events.push(`${model} ${catalog.models.includes(model) ? 'offered' : 'not offered'}`);
      return Promise.resolve();
    },
  };
  return watched;
}

/** Waits for an effect of polling the repository, however long it takes. */
async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + SOON_MS;
  while (!condition()) {
    assert.ok(Date.now() < giveUpAt, 'timed out');
    await settle();
  }
}

const stateOf = (catalog: ModelCatalog, name: string): string | undefined =>
  catalog.statuses.find(({ model, version }) => `${model}/${version}` === name)?.state;

test('at the start the newest version of each model is loaded and reported', async (context) => {
  const { catalog, engine, repository } = await watching(context, ['a/1', 'a/2', 'b/7']);
  await catalog.start();
  assert.deepEqual(engine.events, ['load a/2', 'a offered', 'load b/7', 'b offered']);
  assert.deepEqual(catalog.models, ['a', 'b']);
  assert.deepEqual([catalog.resolve('a', null).version, catalog.resolve('b', '7').version], ['2', '7']);
  const batching = {
    batchable: false,
    reason: 'not verified: no child process available',
  };
  const measured = {
    microsAlone: 1,
    microsPerRow: 1,
    bestBatchRows: 1,
    cores: null,
    threads: 1,
    inline: false,
    threadsGain: null,
  };
  const tensorOf = (spec: TensorSpec | undefined): object => ({
    ...spec,
    dimensionNames: [],
    labels: [],
    labelCount: 0,
  });
  assert.deepEqual(catalog.statuses[0], {
    model: 'a',
    version: '2',
    state: 'AVAILABLE',
    backend: 'wasm',
    message: null,
    batching,
    measured,
    format: 'saved_model',
    runtime: runtimeName('wasm'),
    filesHash: await hashFiles(join(repository.root, 'a/2')),
    signatures: [
      {
        name: null,
        inputs: [tensorOf(DIGITS.inputs[0])],
        outputs: [tensorOf(DIGITS.outputs[0])],
        batching,
        measured,
        problem: null,
      },
    ],
    signaturesNote: null,
    load: { pendingRows: 0, rowsPerSecond: 1e6 / measured.microsPerRow },
    delivery: null,
    deliveryNote: null,
    counts: {
      requests: 0,
      rows: 0,
      batches: 0,
      failed: 0,
      queueMicros: 0,
      computeMicros: 0,
      failedMicros: 0,
      lastAt: 0,
    },
  });
});

test('an unknown model or version is rejected with the available ones', async (context) => {
  const { catalog } = await watching(context, ['a/1', 'b/1']);
  await catalog.start();
  assert.throws(() => catalog.resolve('c', null), {
    code: 'MODEL_NOT_FOUND',
    message: "model 'c': expected one of 'a', 'b'",
  });
  const message = "model 'a': expected one of versions 1, got 9";
  assert.throws(() => catalog.resolve('a', '9'), { code: 'MODEL_NOT_FOUND', message });
});

test('models beyond the time for proofs are served unbatched first, then proven and batched', async (context) => {
  const { engine, catalog } = await watching(context, ['a/1', 'b/1'], 'latest', 0);
  engine.isolated = new FakeEngine();
  await catalog.start();
  const reasons = (): (string | undefined)[] => catalog.statuses.map(({ batching }) => batching?.reason);
  assert.match(String(reasons()), /^not proven yet.*,not proven yet/);
  assert.deepEqual(catalog.models, ['a', 'b']);

  await until(() => !String(reasons()).includes('not proven yet'));
  assert.deepEqual(
    catalog.statuses.map(({ state, batching }) => [state, batching?.batchable]),
    [
      ['AVAILABLE', true],
      ['AVAILABLE', true],
    ],
  );
  await until(() => engine.events.filter((event) => event.startsWith('unload')).length === 2);
});

test('a version whose late proof fails stays unbatched, with the reason', async (context) => {
  const { engine, catalog } = await watching(context, ['a/1'], 'latest', 0);
  const isolated = (engine.isolated = new FakeEngine());
  await catalog.start();
  isolated.broken.add('a/1');
  await until(() => catalog.statuses[0]?.batching?.reason === 'not verified: weights are missing');
  assert.equal(catalog.statuses[0]?.state, 'AVAILABLE');
});

test('a new version takes over while the old one drains before it is unloaded', async (context) => {
  const { catalog, engine, repository } = await watching(context, ['a/1']);
  await catalog.start();
  let open = (): void => undefined;
  engine.gate = new Promise((resolve) => (open = resolve));
  const job = jobOf([1], {
    inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) }],
  });
  catalog.resolve('a', null).batcher.submit(job);
  await settle();
  await repository.write('a/2/model.yaml', 'warmUp: false');
  await repository.write('a/2/saved_model.pb');
  await until(() => stateOf(catalog, 'a/1') === 'UNLOADING');
  assert.equal(catalog.resolve('a', null).version, '2');
  assert.ok(!engine.events.includes('unload a/1'));
  open();
  await until(() => engine.events.includes('unload a/1'));
  assert.deepEqual([job.answers.length, job.errors], [1, []]);
});

test('a broken version keeps the last good one serving, reports the reason and is retried when its files change', async (context) => {
  const { catalog, engine, repository } = await watching(context, ['a/1']);
  engine.broken.add('a/2');
  await catalog.start();
  await repository.write('a/2/saved_model.pb');
  await until(() => stateOf(catalog, 'a/2') === 'FAILED');
  assert.equal(catalog.resolve('a', null).version, '1');
  assert.equal(catalog.statuses.find(({ version }) => version === '2')?.message, 'weights are missing');
  assert.throws(() => catalog.resolve('a', '2'), {
    code: 'MODEL_NOT_FOUND',
    message: /expected one of versions 1, got 2/,
  });
  engine.broken.clear();
  await repository.write('a/2/saved_model.pb', 'fixed');
  await until(() => engine.events.includes('unload a/1'));
  assert.equal(catalog.resolve('a', null).version, '2');
  assert.equal(engine.events.filter((event) => event === 'load a/2').length, 2);
});

test('a model whose versions all fail to load is not ready', async (context) => {
  const { catalog, engine } = await watching(context, ['a/1']);
  engine.broken.add('a/1');
  await catalog.start();
  assert.deepEqual(catalog.models, []);
  assert.throws(() => catalog.resolve('a', null), { code: 'MODEL_NOT_READY' });
});

test('a removed model is withdrawn before its last version is unloaded', async (context) => {
  const { catalog, engine, repository } = await watching(context, ['a/1', 'b/1']);
  await catalog.start();
  engine.events.length = 0;
  await repository.remove('a');
  await until(() => engine.events.includes('unload a/1'));
  assert.equal(engine.events[0], 'a not offered');
  await until(() => !catalog.statuses.some(({ model }) => model === 'a'));
  assert.deepEqual(catalog.models, ['b']);
});

test('a model is also withdrawn if the policy matches none of its remaining versions', async (context) => {
  const { catalog, engine, repository } = await watching(context, ['a/1', 'a/3'], 'specific:3');
  await catalog.start();
  engine.events.length = 0;
  await repository.remove('a/3');
  await until(() => engine.events.includes('unload a/3'));
  assert.equal(engine.events[0], 'a not offered');
});

test('a failed change notification is retried', async (context) => {
  const watched = await watching(context, ['a/1']);
  const { catalog, repository } = watched;
  await catalog.start();
  const { onChange } = watched;
  let failures = 0;
  watched.onChange = (model) =>
    failures++ < 2 ? Promise.reject(new Error('the broker is unavailable')) : onChange(model);
  await repository.write('new/1/saved_model.pb');
  await until(() => watched.engine.events.includes('new offered'));
  assert.ok(catalog.models.includes('new'));
});
