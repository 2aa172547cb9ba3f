import { writeFileSync } from 'node:fs';

/** Makes the Linux OOM killer choose this process rather than the node. No-op on other platforms. */
export function preferAsVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux, or a sandbox without /proc: the kernel chooses.
  }
}
