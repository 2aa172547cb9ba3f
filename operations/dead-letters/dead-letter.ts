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

/** What spring-kafka adds on a record's way through its retry topics. */
const SPRING_RETRY = 'retry_topic-';
/** The same as its dead letters have, by other names: of a record that went through retry topics. */
const RETRIED_ORIGIN = 'kafka_original-';
const RETRIED_EXCEPTION = 'kafka_exception-';
const ERROR_PREFIXES = [CONNECT_ERRORS, SPRING_DEAD_LETTER, RETRIED_ORIGIN, RETRIED_EXCEPTION];
/** What the headers of spring-kafka's exceptions begin with. */
const SPRING_EXCEPTIONS = [`${SPRING_DEAD_LETTER}exception-`, RETRIED_EXCEPTION];
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
    message: firstText(headers, [`${CONNECT_ERRORS}exception.message`, ...springNames('message')]),
    replays: readReplays(headers),
    valueDropped: value === null ? lastText(headers, VALUE_DROPPED) : undefined,
  };
}

/** Connect names the last topic last; of Spring's the first is where it began, since a letter may have gone through retry topics. */
function readOrigins(headers: RecordHeaders): Origin[] {
  const spring = [`${SPRING_DEAD_LETTER}original-`, RETRIED_ORIGIN];
  return [
    readOrigin(headers, CONNECT_ERRORS, -1),
    ...[0, -1].flatMap((at) => spring.map((prefix) => readOrigin(headers, prefix, at))),
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

/** The text of the first of these headers that is there. */
function firstText(headers: RecordHeaders, names: readonly string[]): string | undefined {
  return names.map((name) => lastText(headers, name)).find((text) => text !== undefined);
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
  return ERROR_PREFIXES.some((prefix) => name.startsWith(prefix));
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
    ...fromList([
      ...(isOurs ? withoutOurs(letter, topic) : originalHeaders(letter)).filter(([name]) => name !== REPLAYS),
      [REPLAYS, Buffer.from(String(letter.replays + 1))],
    ]),
  };
}

/** Headers that the record had before. */
function originalHeaders({ record, reason }: DeadLetter): HeaderList {
  // Ours has the reason once more; one that says something else was there before.
  const isOurs = lastText(record.headers, INFERENCE_ERROR) === reason;
  return headersInOrder(record).filter(
    ([name]) =>
      !isErrorHeader(name) && !name.startsWith(SPRING_RETRY) && !(isOurs && name === INFERENCE_ERROR),
  );
}

/** The same of a letter that a node wrote: without the last header of each name that it adds. */
function withoutOurs({ record }: DeadLetter, topic: string): HeaderList {
  const added = DEAD_LETTER_NAMES.filter(([origin]) => lastText(record.headers, origin) === topic).flat();
  const list = headersInOrder(record);
  const ours = new Set(
    [...added, INFERENCE_ERROR].map((name) => list.findLastIndex(([own]) => own === name)),
  );
  return list.filter((_, index) => !ours.has(index));
}
