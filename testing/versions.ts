/** Model versions served in tests. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fixture } from './engine-models.js';
import { silent } from './records.js';
import type { VersionFolder } from '../consumers/models/repository.js';
import { SerialQueue } from '../core/serial.js';
import type { BatchDefaults, BatchSurroundings, LoadingSteps } from '../consumers/models/served-version.js';
import { TestRepository } from './model-repository.js';
import { VerdictCache } from '../consumers/models/verdict-cache.js';

export const DEFAULTS: BatchDefaults = {
  maxBatchRows: 8,
  maxBatchDelayMs: 0,
  inlineMicros: 0,
  batchCheckMs: 0,
};
export const SURROUNDINGS: BatchSurroundings & LoadingSteps = {
  trials: new SerialQueue(),
  profiles: new SerialQueue(),
  postponesProof: () => false,
  observe: () => undefined,
  whenBelowLimit: () => undefined,
  verdicts: new VerdictCache(undefined, silent),
  onBatchCheck: () => undefined,
};

/** Copies version 1 of a fixture into a repository of the test. @param settings content of its `model.yaml` */
export async function versionFolder(
  context: TestContext,
  model: string,
  settings: string,
): Promise<VersionFolder> {
  const repository = await TestRepository.create(context);
  const directory = join(repository.root, model, '1');
  await cp(fixture(model), directory, { recursive: true });
  await repository.write(`${model}/1/model.yaml`, settings);
  return { model, version: '1', directory, stamp: '' };
}
