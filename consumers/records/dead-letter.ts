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

/**
 * The dead letter of a record, in the forms to be tried one after the other while the topic finds them too large: a
 * record that came compressed can be larger than topics take.
 */
export function deadLetters(
  record: KafkaRecord,
  topic: string,
  stage: FailureStage,
  error: PartituraError,
  style: DeadLetterStyle,
): OutgoingRecord[] {
  const { key, value } = record;
  const headers = withDeadLetterHeaders(record, stage, error, style);
  const letter: ListedRecord = { topic, key, value, ...headers };
  return [letter, { ...letter, compress: true }, withoutValue(letter)];
}

/** Why a record has no end: its dead letter could not be put anywhere. */
export function deadLetterRefused(
  { topic, partition, offset }: KafkaRecord,
  failure: KafkaError,
  letters: string,
): Error {
  const place = `${topic}-${partition}@${offset}`;
  const reason = whyNotWritten(letters, failure);
  return new Error(`the dead letter of ${place} was refused: ${reason}`, { cause: failure });
}

/** Why nothing could be written to a topic; names the right that is missing, if that is it. */
export function whyNotWritten(topic: string, { kind, message }: KafkaError): string {
  return kind === 'not-authorized' ? lacking('node', 'WRITE', `topic ${topic}`, message) : message;
}

type ListedRecord = OutgoingRecord & ListedHeaders;

/** The last resort: what can't be kept is said, so that the record does not stop node after node. */
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

/** Only what says where the record came from and what was wrong: headers may be what is too large. */
function isKept(name: string): boolean {
  return name.startsWith(CONNECT_ERRORS) || name.startsWith(SPRING_DEAD_LETTER) || name === INFERENCE_ERROR;
}
