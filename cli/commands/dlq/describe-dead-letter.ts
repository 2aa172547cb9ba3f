import type { DeadLetter } from '../../../operations/dead-letters/dead-letter.js';
import type { Disposition } from '../../../operations/dead-letters/handled.js';
import { isText, oneLine, textOrHex } from '../../../core/printable.js';
import { headersInOrder, type HeaderList } from '../../../schemas/headers/header-list.js';
import { describeValue } from './describe-value.js';
import { timeJson, formatTime } from '../../time-option.js';

const MAX_HEADERS = 100;
const MAX_HEADER_BYTES = 1_024;

/** Formats a dead letter as lines. */
export function describeLetter(letter: DeadLetter, disposition: Disposition | undefined): string[] {
  const { record, origin, stage, reason, message, replays, valueDropped } = letter;
  const { topic, partition, offset, timestamp, key, value } = record;
  const row = (name: string, text: string | undefined): string[] =>
    text === undefined ? [] : [`${name.padEnd(10)} ${oneLine(text)}`];
  return [
    ...row('letter', `${topic} partition ${partition} offset ${offset}, ${formatTime(timestamp)}`),
    ...row('state', disposition ?? 'open'),
    ...row('from', origin && originText(origin)),
    ...row('stage', stage),
    ...row('reason', reason),
    ...row('message', message),
    ...row('replays', replays === 0 ? undefined : String(replays)),
    ...row('key', key ? textOrHex(key, MAX_HEADER_BYTES) : 'null'),
    '',
    ...describeHeaders(headersInOrder(record)),
    '',
    ...(valueDropped === undefined ? [] : [`value dropped: ${oneLine(valueDropped)}`]),
    ...describeValue(value),
  ];
}

function originText({ topic, partition, offset }: NonNullable<DeadLetter['origin']>): string {
  return `${topic} partition ${partition ?? 'unknown'} offset ${offset ?? 'unknown'}`;
}

function describeHeaders(all: HeaderList): string[] {
  const lines = all
    .slice(0, MAX_HEADERS)
    .map(
      ([name, bytes]) =>
        `  ${oneLine(name)}: ${bytes ? oneLine(textOrHex(bytes, MAX_HEADER_BYTES)) : 'null'}`,
    );
  const more = all.length - lines.length;
  return [
    `headers (${all.length})`,
    ...lines,
    ...(more > 0 ? [`  … ${more} more; use --json to see all`] : []),
  ];
}

/** Returns the complete dead letter for JSON: bytes as text if they are text, in base64 otherwise. */
export function letterJson(letter: DeadLetter, disposition: Disposition | undefined): object {
  const { record, isMarked: _, ...rest } = letter;
  const { topic, partition, offset, timestamp, key, value } = record;
  return {
    topic,
    partition,
    offset,
    time: timeJson(timestamp),
    state: disposition ?? 'open',
    ...rest,
    key: key && bytesJson(key),
    headers: headersInOrder(record).map(([name, bytes]) => ({
      name,
      ...(bytes ? bytesJson(bytes) : { text: null }),
    })),
    value: value && { bytes: value.length, ...bytesJson(value) },
  };
}

function bytesJson(bytes: Buffer): { text: string } | { base64: string } {
  return isText(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
}
