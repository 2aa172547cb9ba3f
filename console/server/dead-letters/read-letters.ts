import type { DeadLetter } from '../../../operations/dead-letters/dead-letter.js';
import { matchesFilter } from '../../../operations/dead-letters/filter.js';
import { findLetter, type Place } from '../../../operations/dead-letters/find.js';
import type { Disposition } from '../../../operations/dead-letters/handled.js';
import { Listing } from '../../../operations/dead-letters/listing.js';
import {
  deadLetterRanges,
  readHandled,
  scanDeadLetters,
  type DeadLetterCluster,
} from '../../../operations/dead-letters/scan.js';
import { headersInOrder } from '../../../schemas/headers/header-list.js';
import { oneLine, textOrHex } from '../../../core/printable.js';
import type { DeadLettersView, DeadLetterView } from '../../api/views.js';
import { bytesView } from '../views/bytes.js';
import { filterOf, type ListQuery } from './selection.js';

const MAX_KEY_BYTES = 256;

/** Lists the newest letters and counts all that the query selects. @throws KafkaError */
export async function listLetters(cluster: DeadLetterCluster, query: ListQuery): Promise<DeadLettersView> {
  const topics = await cluster.topics.choose(cluster.admin, []);
  const chosen =
    query.topic === undefined ? topics : await cluster.topics.choose(cluster.admin, [query.topic]);
  const filter = filterOf(query, query.all === 'true');
  const handled = await readHandled(cluster, chosen);
  const listing = new Listing(query.limit);
  for (const ranges of await deadLetterRanges(cluster, chosen, filter.since))
    await scanDeadLetters(cluster, ranges, {
      onLetters: (letters) => {
        for (const letter of letters) {
          const disposition = handled.dispositionOf(letter.record);
          if (matchesFilter(letter, disposition, filter)) listing.add(letter, disposition);
        }
      },
    });
  return {
    total: listing.byReason.total,
    byReason: listing.byReason.toJSON(),
    topics,
    letters: listing
      .newest()
      .reverse()
      .map(({ topic, partition, offset, timestamp, disposition, reason, stage, message, key, replays }) => ({
        topic,
        partition,
        offset,
        at: timestamp,
        state: disposition ?? 'open',
        reason: reason ?? null,
        stage: stage ?? null,
        message: message === undefined ? null : oneLine(message),
        key,
        replays,
      })),
  };
}

/** Reads one letter with its bytes. @throws PartituraError INVALID_REQUEST if it does not exist */
export async function showLetter(cluster: DeadLetterCluster, place: Place): Promise<DeadLetterView> {
  const letter = await findLetter(cluster, place);
  const handled = await readHandled(cluster, [place.topic]);
  return letterView(letter, handled.dispositionOf(letter.record));
}

function letterView(letter: DeadLetter, disposition: Disposition | undefined): DeadLetterView {
  const { record, origin, reason, stage, message, replays, valueDropped } = letter;
  const { topic, partition, offset, timestamp, key, value } = record;
  return {
    topic,
    partition,
    offset,
    at: timestamp,
    state: disposition ?? 'open',
    reason: reason ?? null,
    stage: stage ?? null,
    message: message ?? null,
    key: key && textOrHex(key, MAX_KEY_BYTES),
    replays,
    origin: origin
      ? { topic: origin.topic, partition: origin.partition ?? null, offset: origin.offset ?? null }
      : null,
    valueDropped: valueDropped ?? null,
    keyBytes: bytesView(key),
    value: bytesView(value),
    headers: headersInOrder(record).map(([name, bytes]) => ({ name, value: bytesView(bytes ?? null) })),
  };
}
