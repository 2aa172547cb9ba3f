import type { Outbox } from '../../kafka/sending/outbox.js';
import { KafkaError, type OutgoingRecord, type UnreadableRecords } from '../../kafka/port.js';
import { matchesFilter, type DeadLetterFilter } from './filter.js';
import type { HandledDeadLetters } from './handled.js';
import { scanDeadLetters, type DeadLetterCluster, type DeadLetterRanges } from './scan.js';
import { replayOf, type DeadLetter, type Origin } from './dead-letter.js';
import { replayable } from './replayable.js';
import { inParts, markHandled, sendAll } from './send.js';
import { Counts } from './counts.js';

/** How many letters go between two marks: a crash repeats no more than these. */
const PART = 1_000;
/** Topics whose partitions are known; letters may name any number of them. */
const MAX_KNOWN_TOPICS = 1_000;

export interface ReplayOptions {
  readonly filter: DeadLetterFilter;
  /** A letter that was replayed so often is left. */
  readonly maxReplays: number;
  /** Undefined: nothing is sent, only counted. */
  readonly outbox: Outbox | undefined;
  /** Ends it after the letters that are on their way. */
  readonly signal?: AbortSignal | undefined;
  /** Called with how many more letters were looked at. */
  onProgress?(letters: number): void;
  onUnreadable?(records: UnreadableRecords, reason: string): void;
}

interface PendingReplay {
  readonly letter: DeadLetter;
  readonly record: OutgoingRecord;
}

/**
 * Sends letters to the topics that they came from. One is remembered as replayed once the broker has it: what a crash
 * leaves unsaid is sent again, and none is lost.
 */
export class Replay {
  /** Replayed letters, by the topic that they went to. */
  readonly replayed = new Counts();
  /** Letters that are left where they are, by why. */
  readonly left = new Counts();
  readonly #partitions = new Map<string, number | undefined>();

  constructor(
    readonly cluster: DeadLetterCluster,
    readonly handled: HandledDeadLetters,
    readonly options: ReplayOptions,
  ) {}

  /** @throws KafkaError when the cluster can't be reached, or does not remember what was replayed */
  async replay(ranges: DeadLetterRanges): Promise<void> {
    const { signal } = this.options;
    await scanDeadLetters(this.cluster, ranges, {
      signal,
      onUnreadable: (records, reason) => this.options.onUnreadable?.(records, reason),
      onLetters: async (letters) => {
        for (const part of inParts(letters, PART)) {
          if (signal?.aborted) return;
          await this.#replayPart(part.filter((letter) => this.#isMeant(letter)));
          this.options.onProgress?.(part.length);
        }
      },
    });
  }

  #isMeant(letter: DeadLetter): boolean {
    return matchesFilter(letter, this.handled.dispositionOf(letter.record), this.options.filter);
  }

  async #replayPart(letters: readonly DeadLetter[]): Promise<void> {
    const parcels: PendingReplay[] = [];
    for (const letter of letters) {
      const record = await this.#recordOf(letter);
      if (typeof record === 'string') this.left.add(record);
      else parcels.push({ letter, record });
    }
    const { outbox } = this.options;
    if (outbox) await this.#send(outbox, parcels);
    else for (const { record } of parcels) this.replayed.add(record.topic);
  }

  /** What goes to its topic; text that says why nothing does. */
  async #recordOf(letter: DeadLetter): Promise<OutgoingRecord | string> {
    const { topics } = this.cluster;
    const decision = replayable(letter, topics, this.options.maxReplays);
    if ('refusal' in decision) return decision.refusal;
    const partitions = await this.#partitionsOf(decision.to);
    if (partitions === undefined) return `its topic ${decision.to.topic} does not exist`;
    return replayOf(letter, decision.to, partitions, topics.originsOf(letter.record.topic) !== undefined);
  }

  async #partitionsOf({ topic }: Origin): Promise<number | undefined> {
    if (!this.#partitions.has(topic)) {
      if (this.#partitions.size >= MAX_KNOWN_TOPICS) this.#partitions.clear();
      this.#partitions.set(topic, await this.cluster.admin.partitionCount(topic));
    }
    return this.#partitions.get(topic);
  }

  async #send(outbox: Outbox, parcels: readonly PendingReplay[]): Promise<void> {
    const failures = await sendAll(
      outbox,
      parcels.map(({ record }) => record),
    );
    await this.#remember(
      outbox,
      parcels.filter((_, index) => failures[index] === undefined),
    );
    for (const [index, { record }] of parcels.entries()) {
      const failure = failures[index];
      if (failure) this.left.add(refusalOf(failure, record.topic));
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
        `of ${letters.length} letters that were replayed last the cluster may not remember it, and they would be replayed again: ${message}`,
        { cause },
      );
    }
  }
}

/** Why the broker did not take it. @throws the failure itself when it has to do with no one letter */
function refusalOf(failure: KafkaError, topic: string): string {
  if (failure.kind === 'too-large') return `is larger than ${topic} takes`;
  if (failure.kind === 'not-authorized') return `${topic} may not be written to`;
  if (failure.kind === 'unknown-topic') return `its topic ${topic} does not exist`;
  if (failure.kind === 'other' || failure.kind === 'refused')
    return `${topic} did not take it: ${failure.message}`;
  throw failure;
}
