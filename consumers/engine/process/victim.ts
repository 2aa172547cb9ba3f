import { writeFileSync } from 'node:fs';

/** Makes Linux end this process, and not the node, when memory runs out. Elsewhere it does nothing. */
export function preferAsVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux, or a sandbox without /proc: the kernel chooses.
  }
}
