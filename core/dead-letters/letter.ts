import type { RecordHeaders } from '../../schemas/framing/framing.js';
import {
  CONNECT_ERRORS,
  DEAD_LETTER_NAMES,
  INFERENCE_ERROR,
  REPLAYS,
  SPRING_DEAD_LETTER,
  VALUE_DROPPED,
} from '../headers.js';
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
  /** The most likely one. */
  readonly origin: Origin | undefined;
  /** All that its headers name: their sender may have written some of them. */
  readonly origins: readonly Origin[];
  readonly stage: string | undefined;
  /** Our error code, or the name of an exception's class. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** How often it was replayed before; NaN when its header has no number. */
  readonly replays: number;
  /** What is said instead of a value that was not kept. */
  readonly valueDropped: string | undefined;
}

export function readDeadLetter(record: KafkaRecord): DeadLetter {
  const { headers, value } = record;
  const origins = readOrigins(headers);
  return {
    record,
    isMarked: Object.keys(headers).some(isErrorHeader),
    origin: origins[0],
    origins,
    stage: lastText(headers, `${CONNECT_ERRORS}stage`),
    reason: readReason(headers),
    message:
      lastText(headers, `${CONNECT_ERRORS}exception.message`) ??
      lastText(headers, `${SPRING_DEAD_LETTER}exception-message`),
    replays: readReplays(headers),
    valueDropped: value === null ? lastText(headers, VALUE_DROPPED) : undefined,
  };
}

/** Connect names the last topic last; of Spring's the first is where it began, since a letter may have gone through retry topics. */
function readOrigins(headers: RecordHeaders): Origin[] {
  const spring = `${SPRING_DEAD_LETTER}original-`;
  return [
    readOrigin(headers, CONNECT_ERRORS, -1),
    readOrigin(headers, spring, 0),
    readOrigin(headers, spring, -1),
  ].filter((origin) => origin !== undefined);
}

/** @param at which of several values */
function readOrigin(headers: RecordHeaders, prefix: string, at: number): Origin | undefined {
  const bytes = (name: string): Buffer | undefined => [headers[prefix + name] ?? []].flat().at(at);
  const topic = bytes('topic');
  if (topic === undefined) return undefined;
  return {
    topic: cutText(topic),
    partition: readNumber(bytes('partition')),
    offset: readNumber(bytes('offset')),
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
 * @param isOurs whether a node of the cluster wrote the letter: then only what nodes add is taken away
 */
export function replayOf(
  letter: DeadLetter,
  { topic, partition }: Origin,
  partitions: number,
  isOurs = false,
): OutgoingRecord {
  const { key, value } = letter.record;
  return {
    topic,
    partition: partition !== undefined && partition < partitions ? partition : undefined,
    key,
    value,
    headers: {
      ...(isOurs ? withoutOurs(letter, topic) : originalHeaders(letter)),
      [REPLAYS]: Buffer.from(String(letter.replays + 1)),
    },
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

/** The same of a letter that a node wrote: the last value under each name that it adds. */
function withoutOurs({ record: { headers } }: DeadLetter, topic: string): RecordHeaders {
  const added = DEAD_LETTER_NAMES.filter(([origin]) => lastText(headers, origin) === topic).flat();
  const kept: RecordHeaders = { ...headers };
  for (const name of [...added, INFERENCE_ERROR]) {
    const before = [kept[name] ?? []].flat().slice(0, -1);
    if (before.length > 0) kept[name] = before.length === 1 ? before[0] : before;
    else delete kept[name];
  }
  return kept;
}
