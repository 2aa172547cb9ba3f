import type { Config } from '../../../core/config/config.js';
import { matchesFilter } from '../../../operations/dead-letters/filter.js';
import { deadLetterRanges, readHandled, scanDeadLetters } from '../../../operations/dead-letters/scan.js';
import { Listing } from '../../../operations/dead-letters/listing.js';
import { print, printJson, printError } from '../../output.js';
import { printUnreadable, withCluster } from './cluster.js';
import { filterOf, type FilterFlags } from './flags.js';
import { countText, letterTable } from './texts.js';
import { timeJson } from '../../time-option.js';

export interface ListFlags extends FilterFlags {
  readonly limit: number;
  readonly summary: boolean;
  readonly json: boolean;
}

/** Prints the newest dead letters and the counts of all. */
export async function runList(config: Config, named: readonly string[], flags: ListFlags): Promise<void> {
  const filter = filterOf(flags);
  await withCluster(config, async (cluster) => {
    const chosen = await cluster.topics.choose(cluster.admin, named);
    const handled = await readHandled(cluster, chosen);
    const listing = new Listing(flags.summary ? 0 : flags.limit);
    let others = 0;
    for (const ranges of await deadLetterRanges(cluster, chosen, filter.since))
      await scanDeadLetters(cluster, ranges, {
        onUnreadable: printUnreadable,
        onOthers: (records) => void (others += records.length),
        onLetters: (letters) => {
          for (const letter of letters) {
            const disposition = handled.dispositionOf(letter.record);
            if (matchesFilter(letter, disposition, filter)) listing.add(letter, disposition);
          }
        },
      });
    if (others > 0) printError(`${others} records without error headers are not dead letters; not listed`);
    if (flags.json) printJson(report(listing, flags));
    else printListing(listing, flags);
  });
}

function report(listing: Listing, { summary }: ListFlags): object {
  const { byReason } = listing;
  if (summary) return { total: byReason.total, byReason };
  const letters = listing.newest().map(({ timestamp, disposition, ...letter }) => ({
    ...letter,
    time: timeJson(timestamp),
    state: disposition ?? 'open',
  }));
  return { total: byReason.total, byReason, older: byReason.total - letters.length, letters };
}

function printListing(listing: Listing, { summary, limit, all }: ListFlags): void {
  const letters = listing.newest();
  const { byReason } = listing;
  if (letters.length > 0) print(letterTable(letters, all));
  print(countText(byReason, 'dead letter', 'dead letters'));
  if (!summary && byReason.total > letters.length)
    print(`${byReason.total - letters.length} older letters not shown (--limit ${limit})`);
}
