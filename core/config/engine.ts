import { z } from 'zod';
import { amount, count, flag, list, option, optionalText, text } from './option.js';

/** Options of the model repository, of batching and of inference. */
export const ENGINE = {
  models: option(
    'PARTITURA_MODELS',
    text,
    'examples/models',
    'Model repository: one folder <model>/<version>/ for each version',
  ),
  tasks: option(
    'PARTITURA_TASKS',
    list,
    '',
    'Folders of tasks, functions that nodes run for split jobs: <task>/<version>/task.mjs. Their code runs in the node',
  ),
  jobs: option(
    'PARTITURA_JOBS',
    flag,
    false,
    'Also serve the tasks of the kinds of jobs that come with Partitura; `up` does unless it runs no coordinator',
  ),
  versionPolicy: option(
    'PARTITURA_VERSION_POLICY',
    text.regex(
      /^(latest(:[1-9][0-9]*)?|all|specific:[0-9]+(,[0-9]+)*)$/,
      'expected latest, latest:N, all or specific:1,3',
    ),
    'latest',
    'Versions to serve: latest, latest:N, all or specific:1,3',
  ),
  repositoryPollMs: option(
    'PARTITURA_REPOSITORY_POLL_MS',
    count,
    2_000,
    'How often the model repository is polled, in milliseconds',
  ),
  engine: option(
    'PARTITURA_ENGINE',
    z.enum(['auto', 'tensorflow', 'wasm']),
    'auto',
    'Runtime for TensorFlow models: tensorflow, wasm (WebAssembly), or auto, which falls back to WebAssembly if the native addon cannot be loaded',
  ),
  engineThreads: option(
    'PARTITURA_ENGINE_THREADS',
    amount,
    0,
    'Worker threads that run models, each with its own copy of the models that gain from it; 0 uses one per core, at most 4',
  ),
  intraOpThreads: option(
    'PARTITURA_INTRA_OP_THREADS',
    amount,
    0,
    'Cores that one operation of a model may use; 0 divides the cores among the worker threads or, for ONNX models, uses the fastest setting measured',
  ),
  inlineMicros: option(
    'PARTITURA_INLINE_MICROS',
    amount,
    1_000,
    'Models whose best batch takes at most this many microseconds run on the event loop instead of a worker thread; 0 disables this',
  ),
  maxBatchRows: option(
    'PARTITURA_MAX_BATCH_ROWS',
    count,
    1_024,
    'Maximum rows of a batch; smaller for models that do not gain from larger batches. Longer requests are split and joined again',
  ),
  maxBatchDelayMs: option(
    'PARTITURA_MAX_BATCH_DELAY_MS',
    amount,
    0,
    'How long an idle engine waits for a batch to fill, in milliseconds; 0 starts at once',
  ),
  batchCheckMs: option(
    'PARTITURA_BATCH_CHECK_MS',
    amount,
    5_000,
    'How often a batch of each version is recomputed row by row while the engine is idle, in milliseconds; a difference turns batching off for the version. 0 disables the check',
  ),
  cacheDir: option(
    'PARTITURA_CACHE_DIR',
    optionalText,
    undefined,
    'Folder for batching verdicts, so that restarts need not repeat the proof; ~/.cache/partitura if unset',
  ),
  runTimeoutMs: option(
    'PARTITURA_RUN_TIMEOUT_MS',
    count,
    60_000,
    'Maximum time to compute one batch before its worker thread is terminated, in milliseconds',
  ),
};
