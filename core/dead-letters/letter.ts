import { headerBytes, type RecordHeaders } from '../../schemas/framing/framing.js';
import { CONNECT_ERRORS, INFERENCE_ERROR, REPLAYS, SPRING_DEAD_LETTER, VALUE_DROPPED } from '../headers.js';
import type { KafkaRecord, OutgoingRecord } from '../kafka/port.js';

/** What spring-kafka adds on a record's way through its retry topics. */
const SPRING_RETRY = 'retry_topic-';
/** As much of a header's text as is read: somebody else's may hold anything. */
const MAX_TEXT_BYTES = 4_096;

/** Where a record was before it became a dead letter. */
export interface Origin {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
}

/** A dead letter, as its headers tell of it: ours, Kafka Connect's or spring-kafka's. */
export interface DeadLetter {
  readonly record: KafkaRecord;
  /** Whether any header says that it is one. */
  readonly isMarked: boolean;
  /** The first one: a letter may have gone through retry topics. */
  readonly origin: Origin | undefined;
  readonly stage: string | undefined;
  /** Our error code, or the name of an exception's class. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** How often it was replayed before; NaN when its header has no number. */
  readonly replays: number;
  /** What is said instead of a value that was too large to be kept. */
  readonly valueDropped: string | undefined;
}

export function readDeadLetter(record: KafkaRecord): DeadLetter {
  const { headers } = record;
  return {
    record,
    isMarked: Object.keys(headers).some(isErrorHeader),
    origin: readOrigin(headers, CONNECT_ERRORS) ?? readOrigin(headers, `${SPRING_DEAD_LETTER}original-`),
    stage: lastText(headers, `${CONNECT_ERRORS}stage`),
    reason: readReason(headers),
    message:
      lastText(headers, `${CONNECT_ERRORS}exception.message`) ??
      lastText(headers, `${SPRING_DEAD_LETTER}exception-message`),
    replays: readReplays(headers),
    valueDropped: lastText(headers, VALUE_DROPPED),
  };
}

function readOrigin(headers: RecordHeaders, prefix: string): Origin | undefined {
  const topic = headerBytes(headers, `${prefix}topic`);
  if (topic === undefined) return undefined;
  return {
    topic: cutText(topic),
    partition: readNumber(headerBytes(headers, `${prefix}partition`)),
    offset: readNumber(headerBytes(headers, `${prefix}offset`)),
  };
}

/** Spring wraps what a listener throws, and names the cause as well. */
function readReason(headers: RecordHeaders): string | undefined {
  return (
    lastText(headers, `${CONNECT_ERRORS}exception.class.name`) ??
    lastText(headers, `${SPRING_DEAD_LETTER}exception-cause-fqcn`) ??
    lastText(headers, `${SPRING_DEAD_LETTER}exception-fqcn`) ??
    lastText(headers, INFERENCE_ERROR)
  );
}

function readReplays(headers: RecordHeaders): number {
  const text = lastText(headers, REPLAYS);
  if (text === undefined) return 0;
  return /^\d{1,9}$/.test(text) ? Number(text) : NaN;
}

/** Decimal text, as Connect writes numbers, or four or eight bytes big-endian, as Spring does. */
function readNumber(bytes: Buffer | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  const text = bytes.toString('latin1');
  const number = /^\d{1,16}$/.test(text)
    ? Number(text)
    : bytes.length === 4
      ? bytes.readInt32BE()
      : bytes.length === 8
        ? Number(bytes.readBigInt64BE())
        : NaN;
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function lastText(headers: RecordHeaders, name: string): string | undefined {
  const value = headers[name];
  const last = Array.isArray(value) ? value.at(-1) : value;
  return last && cutText(last);
}

function cutText(bytes: Buffer): string {
  return bytes.toString('utf8', 0, MAX_TEXT_BYTES);
}

function isErrorHeader(name: string): boolean {
  return name.startsWith(CONNECT_ERRORS) || name.startsWith(SPRING_DEAD_LETTER);
}

/**
 * The record that a dead letter was, for the topic that it came from: key, value and headers byte for byte, without
 * those that tell of the error, and with one that counts.
 * @param partitions how many the topic has now; a partition that is gone leaves it to the key
 */
export function replayOf(
  letter: DeadLetter,
  { topic, partition }: Origin,
  partitions: number,
): OutgoingRecord {
  const { key, value } = letter.record;
  return {
    topic,
    partition: partition !== undefined && partition < partitions ? partition : undefined,
    key,
    value,
    headers: { ...originalHeaders(letter), [REPLAYS]: Buffer.from(String(letter.replays + 1)) },
  };
}

/** Headers that the record had before. */
function originalHeaders({ record: { headers }, reason }: DeadLetter): RecordHeaders {
  // Ours has the reason once more; one that says something else was there before.
  const isOurs = lastText(headers, INFERENCE_ERROR) === reason;
  const kept = Object.entries(headers).filter(
    ([name]) =>
      !isErrorHeader(name) && !name.startsWith(SPRING_RETRY) && !(isOurs && name === INFERENCE_ERROR),
  );
  return Object.fromEntries(kept);
}
