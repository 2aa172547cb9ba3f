import type { Config } from '../../../core/config/config.js';
import { Drop } from '../../../operations/dead-letters/drop.js';
import { isNarrow } from '../../../operations/dead-letters/filter.js';
import { deadLetterRanges, readHandled } from '../../../operations/dead-letters/scan.js';
import { type PartituraError, invalidRequest } from '../../../schemas/errors.js';
import { withOutbox } from '../../../operations/dead-letters/with-outbox.js';
import { print, printJson, printError } from '../../output.js';
import { finishingStopSignal, refuseIncomplete, printUnreadable, withCluster } from './cluster.js';
import { filterOf, type FilterFlags } from './flags.js';
import { byTopicText } from './texts.js';

export interface DropFlags extends FilterFlags {
  readonly everything: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** Drops dead letters permanently. @throws PartituraError INVALID_REQUEST without a filter or --everything */
export async function runDrop(config: Config, named: readonly string[], flags: DropFlags): Promise<void> {
  const filter = filterOf(flags);
  if (isNarrow(filter) === flags.everything) throw ambiguous(flags.everything);
  await withCluster(config, async (cluster) => {
    const chosen = await cluster.topics.choose(cluster.admin, named);
    const ranges = await deadLetterRanges(cluster, chosen);
    const handled = await readHandled(cluster, chosen);
    const signal = finishingStopSignal();
    await withOutbox(cluster, flags.dryRun, async (outbox) => {
      const drop = new Drop(cluster, handled, { filter, outbox, signal, onUnreadable: printUnreadable });
      try {
        for (const one of ranges) await drop.drop(one);
      } finally {
        report(drop, flags);
      }
    });
    refuseIncomplete(signal, 'rerun the command to process the rest');
  });
}

function ambiguous(everything: boolean): PartituraError {
  const message = everything
    ? 'drop: expected --everything or filters, got both'
    : 'drop: expected a filter (--reason, --stage, --since, --until or --key), or --everything to drop all dead letters, got neither';
  return invalidRequest(message);
}

function report({ dropped, deleted, undeletable }: Drop, { dryRun, json }: DropFlags): void {
  if (json)
    return printJson({
      dryRun,
      dropped: dropped.total,
      from: dropped,
      deleted,
      undeletable: Object.fromEntries(undeletable),
    });
  const from = dropped.total > 0 ? ` (${byTopicText(dropped)})` : '';
  if (dryRun) return print(`would drop ${dropped.total}${from}`);
  for (const [topic, reason] of undeletable)
    printError(`${topic}: dropped letters are hidden but could not be deleted: ${reason}`);
  print(`dropped ${dropped.total}${from}, deleted ${deleted}`);
}
