import { SingleBar } from 'cli-progress';
import type { Config } from '../../../core/config/config.js';
import {
  deadLetterRanges,
  readHandled,
  type DeadLetterRanges,
} from '../../../operations/dead-letters/scan.js';
import { Replay } from '../../../operations/dead-letters/replay.js';
import { withOutbox } from '../../../operations/dead-letters/with-outbox.js';
import { print, printJson } from '../../output.js';
import { finishingStopSignal, refuseIncomplete, printUnreadable, withCluster } from './cluster.js';
import { filterOf, type FilterFlags } from './flags.js';
import { byTopicText, countsText } from './texts.js';

export interface ReplayFlags extends FilterFlags {
  readonly maxReplays: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Sends dead letters back to their original topics. */
export async function runReplay(config: Config, named: readonly string[], flags: ReplayFlags): Promise<void> {
  const filter = filterOf(flags);
  const { maxReplays, dryRun } = flags;
  await withCluster(config, async (cluster) => {
    const chosen = await cluster.topics.choose(cluster.admin, named);
    const ranges = await deadLetterRanges(cluster, chosen, filter.since);
    const handled = await readHandled(cluster, chosen);
    const bar = progressBar(ranges);
    const signal = finishingStopSignal();
    await withOutbox(cluster, dryRun, async (outbox) => {
      const replay = new Replay(cluster, handled, {
        filter,
        maxReplays,
        outbox,
        signal,
        onProgress: (letters) => bar?.increment(letters),
        onUnreadable: printUnreadable,
      });
      try {
        for (const one of ranges) await replay.replay(one);
      } finally {
        bar?.stop();
        report(replay, flags);
      }
    });
    refuseIncomplete(signal, 'rerun the command to process the rest');
  });
}

/** Prints the result, also after a failure, since letters replayed before it stay replayed. */
function report({ replayed, skipped }: Replay, { dryRun, json }: ReplayFlags): void {
  if (json)
    return printJson({
      dryRun,
      replayed: replayed.total,
      to: replayed,
      left: skipped.total,
      leftBecause: skipped,
    });
  const to = replayed.total > 0 ? ` (${byTopicText(replayed)})` : '';
  const reasons = skipped.total > 0 ? ` (${countsText(skipped)})` : '';
  const [replay, skip] = dryRun ? ['would replay', 'skip'] : ['replayed', 'skipped'];
  print(`${replay} ${replayed.total}${to}, ${skip} ${skipped.total}${reasons}`);
}

/** Only a person at a terminal wants one. Offsets without records make it end slightly early. */
function progressBar(ranges: readonly DeadLetterRanges[]): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: 'dead letters {bar} {value}/{total} ({percentage} %)',
    stream: process.stderr,
    hideCursor: true,
    // Signals are handled by the command; the bar stops with the replay.
    gracefulExit: false,
  });
  const total = ranges.flatMap((one) => one.ranges).reduce((sum, { start, end }) => sum + end - start, 0);
  bar.start(total, 0);
  return bar;
}
