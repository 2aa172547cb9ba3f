import type { Logger } from '../../core/log.js';
import { PartituraError } from '../../schemas/errors.js';
import { postponedOf, retireSignatures, signaturesOf, type ServedSignatures } from './served-signatures.js';

/**
 * Proves a version whose proof was postponed, by serving it a second time beside the first.
 * @param serve serves the version with its proof
 * @returns the proven version; or the given one, which then stays unbatched, if that failed
 */
export async function proveLate(
  served: ServedSignatures,
  serve: () => Promise<ServedSignatures>,
  log: Pick<Logger, 'warn'>,
): Promise<ServedSignatures> {
  try {
    const proven = await serve();
    if (proven.filesHash === served.filesHash) return continued(proven, served);
    await retireSignatures(proven);
    stayUnbatched(served, 'the files of the version changed before its proof', log);
  } catch (cause) {
    stayUnbatched(served, PartituraError.from(cause).message, log);
  }
  return served;
}

function continued(proven: ServedSignatures, served: ServedSignatures): ServedSignatures {
  const before = signaturesOf(served);
  for (const { signatureNames, counter } of signaturesOf(proven)) {
    const same = before.find((one) => one.signatureNames?.loaded === signatureNames?.loaded);
    if (same) counter.continueFrom(same.counter);
  }
  return proven;
}

function stayUnbatched(served: ServedSignatures, cause: string, log: Pick<Logger, 'warn'>): void {
  const { model, version } = served.main;
  for (const signature of postponedOf(served)) signature.stayUnbatched(`not verified: ${cause}`);
  log.warn(
    { model, version, reason: cause },
    'batching proof failed; the version is served without batching',
  );
}
