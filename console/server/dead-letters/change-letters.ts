import type { Counts } from '../../../operations/dead-letters/counts.js';
import { Drop } from '../../../operations/dead-letters/drop.js';
import { checkPlace } from '../../../operations/dead-letters/find.js';
import { Replay } from '../../../operations/dead-letters/replay.js';
import {
  deadLetterRanges,
  readHandled,
  type DeadLetterCluster,
  type DeadLetterRanges,
} from '../../../operations/dead-letters/scan.js';
import { withOutbox } from '../../../operations/dead-letters/with-outbox.js';
import type { DeadLetterOutcome } from '../../api/views.js';
import { filterOf, type LetterCommand } from './selection.js';

/** Letters that came back so often are not replayed again, as in `partitura dlq replay`. */
const MAX_REPLAYS = 3;

/** Sends the selected letters back to their topics. @throws KafkaError */
export async function replayLetters(
  cluster: DeadLetterCluster,
  command: LetterCommand,
  signal: AbortSignal,
): Promise<DeadLetterOutcome> {
  const filter = filterOf(command);
  const topics = await topicsOf(cluster, command);
  if (command.place) await checkPlace(cluster, command.place);
  const ranges = narrowed(await deadLetterRanges(cluster, topics, filter.since), command);
  const handled = await readHandled(cluster, topics);
  return withOutbox(cluster, command.dryRun, async (outbox) => {
    const replay = new Replay(cluster, handled, { filter, maxReplays: MAX_REPLAYS, outbox, signal });
    for (const one of ranges) if (!signal.aborted) await replay.replay(one);
    return outcome(command, signal, replay.replayed, replay.skipped);
  });
}

/** Drops the selected letters. @throws KafkaError */
export async function dropLetters(
  cluster: DeadLetterCluster,
  command: LetterCommand,
  signal: AbortSignal,
): Promise<DeadLetterOutcome> {
  const topics = await topicsOf(cluster, command);
  if (command.place) await checkPlace(cluster, command.place);
  // Whole partitions: the letters before the selected ones decide which records can be deleted.
  const ranges = await deadLetterRanges(cluster, topics);
  const handled = await readHandled(cluster, topics);
  return withOutbox(cluster, command.dryRun, async (outbox) => {
    const drop = new Drop(cluster, handled, { filter: filterOf(command), outbox, signal });
    for (const one of ranges) if (!signal.aborted) await drop.drop(one);
    return outcome(command, signal, drop.dropped);
  });
}

function topicsOf({ topics, admin }: DeadLetterCluster, { topic, place }: LetterCommand): Promise<string[]> {
  const named = place?.topic ?? topic;
  return topics.choose(admin, named === undefined ? [] : [named]);
}

/** Reads one record only if one letter is selected. */
function narrowed(
  ranges: readonly DeadLetterRanges[],
  { place }: LetterCommand,
): readonly DeadLetterRanges[] {
  if (!place) return ranges;
  const { topic, partition, offset } = place;
  return [{ topic, ranges: [{ partition, start: offset, end: offset + 1 }] }];
}

function outcome(
  { dryRun }: LetterCommand,
  signal: AbortSignal,
  changed: Counts,
  left?: Counts,
): DeadLetterOutcome {
  return {
    dryRun,
    done: changed.total,
    byTopic: changed.toJSON(),
    left: left?.toJSON() ?? {},
    stopped: signal.aborted ? (signal.reason as Error).message : null,
  };
}
