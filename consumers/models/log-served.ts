import type { Logger } from '../../core/log.js';
import type { ServedSignatures } from './served-signatures.js';

/** Logs a version that became available, with what its users should know. */
export function logServed({ main, others, failed }: ServedSignatures, log: Logger): void {
  const { model, version, fallbackReason } = main;
  for (const { signatureNames, backend, measured, warmUpProblem, batching, trialMs } of [main, ...others]) {
    const signature = signatureNames?.loaded;
    log.info(
      { model, version, signature, backend, ...measured, batching, trialMs },
      'model version available',
    );
    if (warmUpProblem)
      log.warn(
        { model, version, signature, reason: warmUpProblem },
        'warm-up failed; the version is served anyway',
      );
  }
  if (fallbackReason)
    log.warn(
      { model, version, reason: fallbackReason },
      'TensorFlow unavailable; falling back to WebAssembly',
    );
  for (const { name: signature, error } of failed)
    log.warn(
      { model, version, signature, reason: error.message },
      'signature failed to load; requests that name it are rejected',
    );
}
