import type { ListedDeadLetter } from '../../../operations/dead-letters/listing.js';
import { oneLine } from '../../../core/printable.js';
import type { Counts } from '../../../operations/dead-letters/counts.js';
import { formatTime } from '../../time-option.js';
import { table } from '../../output.js';

const MAX_REASON_CHARACTERS = 60;
const MAX_KEY_CHARACTERS = 24;
const MAX_MESSAGE_CHARACTERS = 60;

export function letterTable(letters: readonly ListedDeadLetter[], withState: boolean): string {
  const header = ['TOPIC', 'PARTITION', 'OFFSET', 'TIME', 'REASON', 'KEY', 'MESSAGE'];
  const rows = letters.map((letter) => [
    letter.topic,
    String(letter.partition),
    String(letter.offset),
    formatTime(letter.timestamp),
    oneLine(letter.reason ?? '', MAX_REASON_CHARACTERS),
    oneLine(letter.key ?? '', MAX_KEY_CHARACTERS),
    oneLine(letter.message ?? '', MAX_MESSAGE_CHARACTERS),
  ]);
  if (!withState) return table(header, rows);
  return table(
    ['STATE', ...header],
    rows.map((row, index) => [letters[index]?.disposition ?? 'open', ...row]),
  );
}

/** Formats counts by topic: `partitura.digits.requests: 2`. */
export function byTopicText(counts: Counts): string {
  return counts
    .entries()
    .map(([topic, count]) => `${oneLine(topic)}: ${count}`)
    .join(', ');
}

/** Formats counts by reason: `2 DECODE_FAILED, 1 INVALID_REQUEST`. */
export function countsText(counts: Counts): string {
  return counts
    .entries()
    .map(([name, count]) => `${count} ${oneLine(name)}`)
    .join(', ');
}

/** Formats the total with its noun and the counts: `2 dead letters: 1 DECODE_FAILED, 1 INTERNAL`. */
export function countText(counts: Counts, one: string, many: string): string {
  if (counts.total === 0) return `no ${many}`;
  return `${counts.total} ${counts.total === 1 ? one : many}: ${countsText(counts)}`;
}
