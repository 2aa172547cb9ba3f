import type { Logger } from '../../core/log.js';
import { backoffMs, sleep, type Backoff } from '../../core/time.js';

const BACKOFF: Backoff = { firstMs: 250, maxMs: 5_000 };

/** Opens the reader of a topic again after a crash: retries with backoff until it succeeds or `closing` aborts. */
export async function reopen(
  open: () => Promise<void>,
  { topic, log, closing }: { topic: string; log: Logger; closing: AbortSignal },
): Promise<void> {
  for (let attempt = 1; !closing.aborted; attempt++) {
    await sleep(backoffMs(BACKOFF, attempt), closing);
    try {
      if (!closing.aborted) return await open();
    } catch (cause) {
      log.debug({ topic, err: cause }, 'topic cannot be followed; retrying');
    }
  }
}
