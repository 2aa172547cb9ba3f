import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PartituraError } from '../../schemas/errors.js';
import type { Engine } from '../engine/engine.js';
import { fixture, sourceOf } from '../engine/test-models.js';
import { createEngine } from '../engine/threaded-engine.js';
import { silent } from '../test-support.js';
import { VerdictMemory } from './verdict-memory.js';
import { serveVersion, type ServedVersion } from './served-version.js';

const DEFAULTS = { maxBatchRows: 8, maxBatchDelayMs: 0, inlineMicros: 0, batchCheckMs: 0 };
const SURROUNDINGS = {
  observe: () => undefined,
  room: () => undefined,
  verdicts: new VerdictMemory(undefined, silent),
  onBatchCheck: () => undefined,
};

describe('a version is tried in a child process first', () => {
  let engine: Engine;
  before(async () => {
    engine = await createEngine({ threads: 1 });
  });
  after(() => engine.close());

  /** Serves a version whose first loads in the child process fail like this. */
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
    return serveVersion(folder, where, DEFAULTS, SURROUNDINGS);
  }

  for (const code of ['MODEL_CRASHED', 'INTERNAL'] as const)
    test(`and once more where that failed with ${code}, which may have had another cause`, async () => {
      const version = await served(new PartituraError(code, 'ended with SIGKILL'));
      assert.equal(version.warmUpProblem, undefined);
      await version.retire();
    });

  test('and not served when that dies of it twice', async () => {
    const crash = new PartituraError('MODEL_CRASHED', 'ended with SIGABRT');
    await assert.rejects(served(crash, crash), { code: 'MODEL_CRASHED' });
  });
});
