import type { RecordHeaders } from '../../schemas/framing/framing.js';
import {
  CONNECT_ERRORS,
  DEAD_LETTER_NAMES,
  INFERENCE_ERROR,
  REPLAYS,
  SPRING_DEAD_LETTER,
  VALUE_DROPPED,
} from '../../schemas/headers/headers.js';
import { fromList, headersInOrder, type HeaderList } from '../../schemas/headers/header-list.js';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';

/** Prefix of the headers that spring-kafka adds in its retry topics. */
const SPRING_RETRY = 'retry_topic-';
/** Prefixes that spring-kafka uses instead for records that went through retry topics. */
const RETRIED_ORIGIN = 'kafka_original-';
const RETRIED_EXCEPTION = 'kafka_exception-';
const ERROR_PREFIXES = [CONNECT_ERRORS, SPRING_DEAD_LETTER, RETRIED_ORIGIN, RETRIED_EXCEPTION];
/** Prefixes of spring-kafka's exception headers. */
const SPRING_EXCEPTIONS = [`${SPRING_DEAD_LETTER}exception-`, RETRIED_EXCEPTION];
/** Limit on the text read from a header, which senders control. */
const MAX_TEXT_BYTES = 4_096;

/** The position of a record before it became a dead letter. */
export interface Origin {
  readonly topic: string;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
}

/** A dead letter, decoded from our headers, Kafka Connect's or spring-kafka's. */
export interface DeadLetter {
  readonly record: KafkaRecord;
  /** True if any header marks it as a dead letter. */
  readonly isMarked: boolean;
  /** The most likely origin. */
  readonly origin: Origin | undefined;
  /** All origins that the headers name; the sender may have written some of them. */
  readonly origins: readonly Origin[];
  readonly stage: string | undefined;
  /** Our error code, or the class name of an exception. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** Number of previous replays; NaN if the header is not a number. */
  readonly replays: number;
  /** Explanation that replaces a dropped value. */
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
    message: firstText(headers, [`${CONNECT_ERRORS}exception.message`, ...springNames('message')]),
    replays: readReplays(headers),
    valueDropped: value === null ? lastText(headers, VALUE_DROPPED) : undefined,
  };
}

/** Lists candidate origins, best first: the last value of Connect's headers, then the first of Spring's, since retry topics append theirs. */
function readOrigins(headers: RecordHeaders): Origin[] {
  const spring = [`${SPRING_DEAD_LETTER}original-`, RETRIED_ORIGIN];
  return [
    readOrigin(headers, CONNECT_ERRORS, -1),
    ...[0, -1].flatMap((at) => spring.map((prefix) => readOrigin(headers, prefix, at))),
  ].filter((origin) => origin !== undefined);
}

/** @param at index into repeated values */
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

/** Prefers the cause, since Spring wraps the exceptions of listeners. */
function readReason(headers: RecordHeaders): string | undefined {
  return firstText(headers, [
    `${CONNECT_ERRORS}exception.class.name`,
    ...springNames('cause-fqcn'),
    ...springNames('fqcn'),
    INFERENCE_ERROR,
  ]);
}

function springNames(name: string): string[] {
  return SPRING_EXCEPTIONS.map((prefix) => prefix + name);
}

/** Returns the text of the first of these headers that exists. */
function firstText(headers: RecordHeaders, names: readonly string[]): string | undefined {
  return names.map((name) => lastText(headers, name)).find((text) => text !== undefined);
}

function readReplays(headers: RecordHeaders): number {
  const text = lastText(headers, REPLAYS);
  if (text === undefined) return 0;
  return /^\d{1,9}$/.test(text) ? Number(text) : NaN;
}

/** Decodes decimal text (Connect) or a 4 or 8 byte big-endian integer (Spring). */
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
  return ERROR_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * Restores the original record of a dead letter for its topic: key, value and headers byte for byte, without the error
 * headers, and with the replay counter.
 * @param partitions current number of partitions; without its old partition the record is partitioned by key
 * @param isOurs true if a node of the cluster wrote the dead letter: then only headers that nodes add are removed
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
    ...fromList([
      ...(isOurs ? withoutOurs(letter, topic) : originalHeaders(letter)).filter(([name]) => name !== REPLAYS),
      [REPLAYS, Buffer.from(String(letter.replays + 1))],
    ]),
  };
}

/** Returns the headers that the record had before. */
function originalHeaders({ record, reason }: DeadLetter): HeaderList {
  // Ours repeats the reason; a different one was set by the sender.
  const isOurs = lastText(record.headers, INFERENCE_ERROR) === reason;
  return headersInOrder(record).filter(
    ([name]) =>
      !isErrorHeader(name) && !name.startsWith(SPRING_RETRY) && !(isOurs && name === INFERENCE_ERROR),
  );
}

/** Returns the original headers of a dead letter that a node wrote: all but the last of each name that nodes add. */
function withoutOurs({ record }: DeadLetter, topic: string): HeaderList {
  const added = DEAD_LETTER_NAMES.filter(([origin]) => lastText(record.headers, origin) === topic).flat();
  const list = headersInOrder(record);
  const ours = new Set(
    [...added, INFERENCE_ERROR].map((name) => list.findLastIndex(([own]) => own === name)),
  );
  return list.filter((_, index) => !ours.has(index));
}
