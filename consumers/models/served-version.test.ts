import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { PartituraError } from '../../schemas/errors.js';
import type { Engine } from '../engine/engine.js';
import { fixture, sourceOf } from '../../testing/engine-models.js';
import { createEngine } from '../engine/threaded-engine.js';
import { silent } from '../../testing/records.js';
import { tryVersion } from './trial.js';
import { VerdictCache } from './verdict-cache.js';
import { serveSignatures } from './served-signatures.js';
import type { ServedVersion } from './served-version.js';
import { TestRepository } from '../../testing/model-repository.js';
import { DEFAULTS, SURROUNDINGS, versionFolder } from '../../testing/versions.js';

describe('a version is first tried in a child process', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 1 });
  });
  after(() => engine.close());

  /** Serves a version whose first loads in the child process fail with these errors. */
  async function served(...failures: PartituraError[]): Promise<ServedVersion> {
    const { isolated } = engine;
    assert.ok(isolated);
    const failing: Engine = {
      threads: 1,
      coreChoices: [1],
      load: async (source) => {
        const failure = failures.shift();
        if (failure) throw failure;
        return isolated.load(source);
      },
      close: () => Promise.resolve(),
    };
    const where: Engine = {
      threads: engine.threads,
      coreChoices: engine.coreChoices,
      isolated: failing,
      load: (source) => engine.load(source),
      close: () => Promise.resolve(),
    };
    const folder = { ...(await sourceOf(fixture('scale-onnx'))), stamp: '' };
    return (await serveSignatures(folder, where, DEFAULTS, SURROUNDINGS)).main;
  }

  for (const code of ['MODEL_CRASHED', 'INTERNAL'] as const)
    test(`and once more after ${code}, which may have another cause`, async () => {
      const version = await served(new PartituraError(code, 'its child process exited (SIGKILL)'));
      assert.equal(version.warmUpProblem, undefined);
      await version.retire();
    });

  test('and not served if it crashes the process twice', async () => {
    const crash = new PartituraError('MODEL_CRASHED', 'its child process exited (SIGABRT)');
    await assert.rejects(served(crash, crash), { code: 'MODEL_CRASHED' });
  });
});

for (const backend of ['auto', 'wasm'] as const)
  test(`a version with an operation that the runtime lacks is not served (backend ${backend})`, async () => {
    const engine = await createEngine({ threads: 1, backend });
    try {
      const folder = { ...(await sourceOf(fixture('unknown-operation-graph'))), stamp: '' };
      await assert.rejects(serveSignatures(folder, engine, DEFAULTS, SURROUNDINGS), {
        code: 'MODEL_FAILED',
        message: /Unknown op 'Frobnicate'\. File an issue/,
      });
    } finally {
      await engine.close();
    }
  });

test('a version that never finishes a batch of zeros is detected and may still serve other values', async () => {
  const engine = await createEngine({ threads: 1 });
  try {
    const verdicts = new VerdictCache(undefined, silent);
    const source = await sourceOf(fixture('endless-zeros-onnx'));
    const options = { settings: {}, maxBatchRows: 8, verdicts, filesHash: undefined, warmUpLimitMs: 500 };
    const { hangs, problem, batching } = await tryVersion(engine.isolated, source, options);
    assert.equal(hangs, true);
    assert.equal(problem, 'a batch of zeros did not finish within 0.5 s');
    assert.equal(batching.batchable, true, batching.reason);
  } finally {
    await engine.close();
  }
});

describe('the batching verdict of a version', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 1 });
  });
  after(() => engine.close());

  async function verdictOf(
    context: TestContext,
    model: string,
    settings = '',
    verdicts = new VerdictCache(undefined, silent),
  ): Promise<string> {
    const folder = await versionFolder(context, model, settings);
    const { main: version } = await serveSignatures(folder, engine, DEFAULTS, { ...SURROUNDINGS, verdicts });
    const { batchable, reason } = version.batching;
    assert.equal(version.batcher.limits.batchable, batchable);
    assert.equal(version.suspects.limits.batchable, batchable);
    await version.retire();
    return `${batchable ? 'yes' : 'no'}: ${reason}`;
  }

  test('is determined by a proof', async (context) => {
    assert.match(await verdictOf(context, 'scale-onnx'), /^yes: rows are independent/);
    assert.match(
      await verdictOf(context, 'softmax-over-rows-onnx'),
      /^no: output 'y' of a request depends on other requests/,
    );
  });

  test('is taken from model.yaml without a proof', async (context) => {
    assert.equal(
      await verdictOf(context, 'softmax-over-rows-onnx', 'batchable: true'),
      'yes: model.yaml sets batchable: true',
    );
    assert.equal(
      await verdictOf(context, 'scale-onnx', 'batchable: false'),
      'no: model.yaml sets batchable: false',
    );
  });

  test('is no if the first dimension is fixed, whatever model.yaml sets', async (context) => {
    assert.equal(
      await verdictOf(context, 'fixed-onnx', 'batchable: true'),
      "no: the first dimension of input 'x' is fixed at 1",
    );
  });

  test('is no if warm-up is off, unless model.yaml sets batchable', async (context) => {
    assert.match(
      await verdictOf(context, 'scale-onnx', 'warmUp: false'),
      /^no: not verified: model.yaml sets warmUp/,
    );
    assert.match(await verdictOf(context, 'scale-onnx', 'warmUp: false\nbatchable: true'), /^yes/);
  });

  test('is no if random inputs crash the version, which is served anyway', async (context) => {
    assert.match(await verdictOf(context, 'abort-onnx'), /^no: not verified: random inputs crashed it/);
  });

  test('is stored for the same files including settings, and proven for others', async (context) => {
    const verdicts = new VerdictCache(undefined, silent);
    const recalled: (boolean | undefined)[] = [];
    const recall = verdicts.get.bind(verdicts);
    verdicts.get = async (parts) => {
      const known = await recall(parts);
      recalled.push(known?.batchable);
      return known;
    };
    for (const settings of ['', '', 'maxBatchDelayMs: 1'])
      await verdictOf(context, 'scale-onnx', settings, verdicts);
    assert.deepEqual(recalled, [undefined, true, undefined]);
  });

  test('is no at the next start after a live check found a difference', async (context) => {
    const { root } = await TestRepository.create(context);
    const folder = await versionFolder(context, 'scale-onnx', '');
    const serve = async (): Promise<ServedVersion> => {
      const surroundings = { ...SURROUNDINGS, verdicts: new VerdictCache(root, silent) };
      return (await serveSignatures(folder, engine, { ...DEFAULTS, batchCheckMs: 1_000 }, surroundings)).main;
    };
    const version = await serve();
    assert.equal(version.batching.batchable, true);
    version.batcher.options.watch?.refute('output y');
    await version.retire();
    const next = await serve();
    assert.deepEqual(next.batching, { batchable: false, reason: 'live check found a difference: output y' });
    await next.retire();
  });
});
