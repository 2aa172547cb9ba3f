import { SingleBar } from 'cli-progress';
import type { Config } from '../../../core/config/config.js';
import {
  deadLetterRanges,
  readHandled,
  type DeadLetterRanges,
} from '../../../operations/dead-letters/scan.js';
import { Replay } from '../../../operations/dead-letters/replay.js';
import { print, printJson } from '../../output.js';
import { finishingStopSignal, refuseHalf, sayUnreadable, withCluster, withOutbox } from './cluster.js';
import { filterOf, type FilterFlags } from './flags.js';
import { tallyText } from './texts.js';

export interface ReplayFlags extends FilterFlags {
  readonly maxReplays: number;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Sends dead letters to the topics that they came from. */
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
        onUnreadable: sayUnreadable,
      });
      try {
        for (const one of ranges) await replay.replay(one);
      } finally {
        bar?.stop();
        report(replay, flags);
      }
    });
    refuseHalf(signal, 'the same command goes on with the rest');
  });
}

/** Also after a failure: what was replayed until then was. */
function report({ replayed, left }: Replay, { dryRun, json }: ReplayFlags): void {
  if (json)
    return printJson({ dryRun, replayed: replayed.total, to: replayed, left: left.total, leftBecause: left });
  const to = replayed.total > 0 ? ` (to ${tallyText(replayed)})` : '';
  const why = left.total > 0 ? ` (${tallyText(left)})` : '';
  print(`${dryRun ? 'would have replayed' : 'replayed'} ${replayed.total}${to}, left ${left.total}${why}`);
}

/** Only a person at a terminal wants one. Offsets without records make it end a little early. */
function progressBar(ranges: readonly DeadLetterRanges[]): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: 'dead letters {bar} {value}/{total} ({percentage} %)',
    stream: process.stderr,
    hideCursor: true,
    // Signals are ours to handle; the bar stops with the replay.
    gracefulExit: false,
  });
  const total = ranges.flatMap((one) => one.ranges).reduce((sum, { start, end }) => sum + end - start, 0);
  bar.start(total, 0);
  return bar;
}
