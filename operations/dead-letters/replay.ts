import type { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type OutgoingRecord, type UnreadableRecords } from '../../kafka/port.js';
import { matchesFilter, type DeadLetterFilter } from './filter.js';
import type { HandledDeadLetters } from './handled.js';
import { scanDeadLetters, type DeadLetterCluster, type DeadLetterRanges } from './scan.js';
import { replayOf, type DeadLetter, type Origin } from './dead-letter.js';
import { replayable } from './replayable.js';
import { inParts, markHandled, sendAll } from './send.js';
import { Counts } from './counts.js';

/** Letters sent between two marks: a crash repeats at most this many. */
const PART = 1_000;
/** Limit of the cache of partition counts; letters may name any number of topics. */
const MAX_KNOWN_TOPICS = 1_000;

export interface ReplayOptions {
  readonly filter: DeadLetterFilter;
  /** Letters with this many replays are skipped. */
  readonly maxReplays: number;
  /** Undefined for a dry run, which only counts. */
  readonly outbox: Outbox | undefined;
  /** Stops the replay after the letters in flight. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of letters examined since the last call. */
  onProgress?(letters: number): void;
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

interface PendingReplay {
  readonly letter: DeadLetter;
  readonly record: OutgoingRecord;
}

/**
 * Sends letters back to their original topics. A letter is marked as replayed after the broker acknowledged it: a crash in
 * between repeats some letters and loses none.
 */
export class Replay {
  /** Replayed letters by target topic. */
  readonly replayed = new Counts();
  /** Skipped letters by reason. */
  readonly skipped = new Counts();
  readonly #partitions = new Map<string, number | undefined>();

  constructor(
    readonly cluster: DeadLetterCluster,
    readonly handled: HandledDeadLetters,
    readonly options: ReplayOptions,
  ) {}

  /** @throws KafkaError if the cluster is unavailable or the marks could not be written */
  async replay(ranges: DeadLetterRanges): Promise<void> {
    const { signal } = this.options;
    await scanDeadLetters(this.cluster, ranges, {
      signal,
      onUnreadable: (records, reason) => this.options.onUnreadable?.(records, reason),
      onLetters: async (letters) => {
        for (const part of inParts(letters, PART)) {
          if (signal?.aborted) return;
          await this.#replayPart(part.filter((letter) => this.#matches(letter)));
          this.options.onProgress?.(part.length);
        }
      },
    });
  }

  #matches(letter: DeadLetter): boolean {
    return matchesFilter(letter, this.handled.dispositionOf(letter.record), this.options.filter);
  }

  async #replayPart(letters: readonly DeadLetter[]): Promise<void> {
    const pending: PendingReplay[] = [];
    for (const letter of letters) {
      const record = await this.#recordOf(letter);
      if (typeof record === 'string') this.skipped.add(record);
      else pending.push({ letter, record });
    }
    const { outbox } = this.options;
    if (outbox) await this.#send(outbox, pending);
    else for (const { record } of pending) this.replayed.add(record.topic);
  }

  /** Returns the record to send, or the reason for skipping the letter. */
  async #recordOf(letter: DeadLetter): Promise<OutgoingRecord | string> {
    const { topics } = this.cluster;
    const decision = replayable(letter, topics, this.options.maxReplays);
    if ('refusal' in decision) return decision.refusal;
    const partitions = await this.#partitionsOf(decision.to);
    if (partitions === undefined) return `topic ${decision.to.topic} does not exist`;
    return replayOf(letter, decision.to, partitions, topics.originsOf(letter.record.topic) !== undefined);
  }

  async #partitionsOf({ topic }: Origin): Promise<number | undefined> {
    if (!this.#partitions.has(topic)) {
      if (this.#partitions.size >= MAX_KNOWN_TOPICS) this.#partitions.clear();
      this.#partitions.set(topic, await this.cluster.admin.partitionCount(topic));
    }
    return this.#partitions.get(topic);
  }

  async #send(outbox: Outbox, pending: readonly PendingReplay[]): Promise<void> {
    const failures = await sendAll(
      outbox,
      pending.map(({ record }) => record),
    );
    await this.#remember(
      outbox,
      pending.filter((_, index) => failures[index] === undefined),
    );
    for (const [index, { record }] of pending.entries()) {
      const failure = failures[index];
      if (failure) this.skipped.add(refusalOf(failure, record.topic));
    }
  }

  async #remember(outbox: Outbox, sent: readonly PendingReplay[]): Promise<void> {
    const letters = sent.map(({ letter }) => letter.record);
    for (const { record } of sent) this.replayed.add(record.topic);
    try {
      await markHandled(outbox, this.cluster.topics.names.handledLetters, letters, 'replayed');
    } catch (cause) {
      const { kind, message } = cause as KafkaError;
      throw new KafkaError(
        kind,
        `the last ${letters.length} replayed letters may not be marked as replayed and would be replayed again: ${message}`,
        { cause },
      );
    }
  }
}

/** Returns the reason why the broker rejected a record. @throws the failure itself if it does not concern a single record */
function refusalOf(failure: KafkaError, topic: string): string {
  if (failure.kind === 'too-large') return `too large for topic ${topic}`;
  if (failure.kind === 'not-authorized') return `not authorized to write to topic ${topic}`;
  if (failure.kind === 'unknown-topic') return `topic ${topic} does not exist`;
  if (failure.kind === 'other' || failure.kind === 'refused')
    return `topic ${topic} rejected it: ${failure.message}`;
  throw failure;
}
