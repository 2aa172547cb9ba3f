import { lacking } from '../../cluster/acls.js';
import {
  CONNECT_ERRORS,
  INFERENCE_ERROR,
  SPRING_DEAD_LETTER,
  VALUE_DROPPED,
  withDeadLetterHeaders,
  type DeadLetterStyle,
  type FailureStage,
} from '../../schemas/headers/headers.js';
import { fromList, type ListedHeaders } from '../../schemas/headers/header-list.js';
import type { KafkaError, KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import type { PartituraError } from '../../schemas/errors.js';

const MAX_KEPT_KEY_BYTES = 64 * 1024;

/** A record that cannot be processed, and the reason. */
export interface Rejected {
  readonly record: KafkaRecord;
  readonly stage: FailureStage;
  readonly error: PartituraError;
}

/** The topic of dead letters, and the convention of their headers. */
export interface DeadLetterTarget {
  readonly deadLetterTopic: string;
  readonly deadLetterHeaders: DeadLetterStyle;
}

/**
 * Returns the dead letter of a record, followed by smaller fallbacks for a topic that finds it too large: a record that
 * came compressed can be larger than any topic accepts.
 */
export function deadLetters(
  { record, stage, error }: Rejected,
  { deadLetterTopic: topic, deadLetterHeaders: style }: DeadLetterTarget,
): [OutgoingRecord, ...OutgoingRecord[]] {
  const { key, value } = record;
  const headers = withDeadLetterHeaders(record, stage, error, style);
  const letter: ListedRecord = { topic, key, value, ...headers };
  return [letter, { ...letter, compress: true }, withoutValue(letter)];
}

/** Returns the error of a record that has no outcome because its dead letter was refused. */
export function deadLetterRefused(
  { topic, partition, offset }: KafkaRecord,
  failure: KafkaError,
  letters: string,
): Error {
  const place = `${topic}-${partition}@${offset}`;
  const reason = whyNotWritten(letters, failure);
  return new Error(`the dead letter of ${place} was refused: ${reason}`, { cause: failure });
}

/** Explains why a topic accepts no record; names the missing right if that is the reason. */
export function whyNotWritten(topic: string, { kind, message }: KafkaError): string {
  return kind === 'not-authorized' ? lacking('node', 'WRITE', `topic ${topic}`, message) : message;
}

type ListedRecord = OutgoingRecord & ListedHeaders;

/** Drops the value and names it in a header: the last resort, because a record without an outcome would stop every node. */
function withoutValue(letter: ListedRecord): OutgoingRecord {
  const { key, value, headerList } = letter;
  const dropped = Buffer.from(`${value?.length ?? 0} bytes were too large for this topic`);
  return {
    ...letter,
    key: key && key.length > MAX_KEPT_KEY_BYTES ? null : key,
    value: null,
    ...fromList([...headerList.filter(([name]) => isKept(name)), [VALUE_DROPPED, dropped]]),
  };
}

/** Keeps only the headers for origin and error: the headers themselves may be too large. */
function isKept(name: string): boolean {
  return name.startsWith(CONNECT_ERRORS) || name.startsWith(SPRING_DEAD_LETTER) || name === INFERENCE_ERROR;
}
