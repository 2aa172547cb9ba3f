import { sleep } from '../../../core/time.js';
import type { KafkaError } from '../../port.js';
import { kindOf } from '../../errors/error-kinds.js';
import { retryDelayMs } from '../../errors/retry-delay.js';
import {
  acquiredIn,
  shareAcknowledge,
  shareFetch,
  type PartitionAcknowledgements,
  type ShareFetchAnswer,
  type ShareSessionId,
} from '../protocol/share-fetch.js';
import type { OwnRequest } from '../protocol/send.js';
import { brokerError, toKafkaError } from '../transport/errors.js';
import type { FetchReport } from './fetch-window.js';
import { toRanges } from './acknowledgements.js';
import type { Acknowledgements, SharePartition } from './share-partition.js';
import { ShareSession } from './share-session.js';

/** Longest time that a fetch waits for records. Acknowledgements wait for it as well. */
const MAX_WAIT_MS = 500;
/** Timeout on top of the wait. */
const ANSWER_LIMIT_MS = 15_000;
const CLOSE_LIMIT_MS = 2_000;
/** Time for which acknowledgements wait for a fetch to travel with. */
const LINGER_MS = 50;
/** Lock time until the broker has announced its own: the shortest that it can be configured to. */
const FIRST_LOCK_MS = 15_000;

/** Error of acknowledgements of which at least one is of a record that this member does not hold. */
const NOT_HELD = 'INVALID_RECORD_STATE';

/** The fetcher, as its readers see it. */
export interface ReaderContext {
  readonly group: string;
  readonly memberId: string;
  readonly maxBytes: number;
  /** Aborts when everything has to end at once. */
  readonly signal: AbortSignal;
  readonly isClosing: boolean;
  readonly topicId: string;
  /** Resolves with the next change: room, an acknowledgement, an assignment, or closing. */
  readonly changed: Promise<void>;
  ledBy(broker: number): SharePartition[];
  /** Time after which a busy member may have room again; infinite while few records wait. */
  readonly askAgainMs: number;
  /** Reserves room for records. @returns their number; 0 if there is no room */
  reserve(): number;
  unreserve(records: number): void;
  send<R>(broker: number, request: OwnRequest<R>, limitMs: number): Promise<R>;
  /** Delivers what was acquired. Locks exist already. */
  deliver(answer: ShareFetchAnswer): void;
  lost(records: number, reason: string): void;
  fetched(fetch: FetchReport): void;
  failed(broker: number, error: KafkaError): void;
  worked(broker: number): void;
  /** Looks up leaders again. */
  relocate(): Promise<void>;
}

/** Acknowledgements of one request, by partition. */
type Sent = ReadonlyMap<SharePartition, Acknowledgements>;

/**
 * The share session with one broker: one request at a time acquires records of the partitions that it leads, and
 * carries acknowledgements of earlier ones.
 */
export class ShareReader {
  readonly #session = new ShareSession();
  #lockMs = FIRST_LOCK_MS;

  constructor(
    readonly broker: number,
    readonly context: ReaderContext,
  ) {}

  /** Runs until the broker leads no partition, or the fetcher closes. */
  async run(): Promise<void> {
    const { context, broker } = this;
    for (let failures = 0; !context.signal.aborted;) {
      const led = context.ledBy(broker);
      if (context.isClosing || led.length === 0) break;
      try {
        await this.#step(led);
        failures = 0;
        context.worked(broker);
      } catch (cause) {
        await this.#recover(toKafkaError(cause), ++failures);
      }
    }
    await this.#close();
    context.worked(broker);
  }

  /** Sends the most urgent request, or waits for a change. */
  async #step(led: readonly SharePartition[]): Promise<void> {
    const now = performance.now();
    this.#expire(led, now);
    if (this.#session.isOpen && this.#session.topicId !== this.context.topicId) return this.#close();
    const urgent = this.#session.isOpen ? urgentOf(led, now, this.#lockMs) : new Map<never, never>();
    if (urgent.size > 0) return this.#acknowledge(urgent);
    const wanted = led.filter((one) => one.isWanted(now));
    const room = wanted.length > 0 ? this.context.reserve() : 0;
    if (room > 0) return this.#fetch(wanted, room);
    const due = led.filter(({ owedSince }) => now - owedSince >= LINGER_MS);
    if (due.length > 0) return this.#acknowledge(owedBy(led));
    await this.#wait(led, now);
  }

  #expire(led: readonly SharePartition[], now: number): void {
    for (const one of led) {
      const expired = one.expire(now, this.#lockMs);
      if (expired > 0) this.context.lost(expired, 'the lock expired before it could be renewed');
    }
  }

  async #wait(led: readonly SharePartition[], now: number): Promise<void> {
    const times = led.flatMap((one) => [
      one.owedSince + LINGER_MS,
      one.nextRenewalAt(this.#lockMs),
      one.isAssigned && one.backoffUntil > now ? one.backoffUntil : Infinity,
    ]);
    const until = Math.min(now + this.context.askAgainMs, ...times);
    const ended = new AbortController();
    const timer = until === Infinity ? [] : [sleep(Math.max(1, until - now), ended.signal)];
    await Promise.race([this.context.changed, ...timer]);
    ended.abort();
  }

  async #fetch(wanted: readonly SharePartition[], room: number): Promise<void> {
    const { context, broker } = this;
    const numbers = wanted.map(({ partition }) => partition);
    const { added, forgotten } = this.#session.change(numbers);
    const sent: Sent = this.#session.isOpen ? owedBy(wanted) : new Map();
    const request = shareFetch({
      ...this.#id(this.#session.epoch),
      maxWaitMs: MAX_WAIT_MS,
      maxBytes: context.maxBytes,
      maxRecords: room,
      partitions: formatted(sent, added),
      forgotten,
    });
    const { topicId } = context;
    try {
      const began = performance.now();
      const answer = await this.#send(sent, () =>
        context.send(broker, request, MAX_WAIT_MS + ANSWER_LIMIT_MS),
      );
      const records = answer.partitions.reduce((sum, one) => sum + acquiredIn(one), 0);
      context.fetched({ asked: room, records, ms: performance.now() - began });
      this.#session.fetched(topicId, numbers);
      this.#lockMs = answer.lockMs > 0 ? answer.lockMs : this.#lockMs;
      this.#take(answer, sent, wanted);
    } finally {
      context.unreserve(room);
    }
  }

  /** Locks what was acquired, notes what was refused, and delivers. */
  #take(answer: ShareFetchAnswer, sent: Sent, wanted: readonly SharePartition[]): void {
    const now = performance.now();
    for (const { partition, error, acknowledgeError, acquired } of answer.partitions) {
      const found = wanted.find((one) => one.partition === partition);
      if (!found) continue;
      this.#settle(found, sent.get(found), acknowledgeError);
      for (const { first, last } of acquired)
        for (let offset = first; offset <= last; offset++) found.acquire(offset, now);
      if (error === undefined) found.failures = 0;
      else this.#backOff(found, error);
    }
    this.context.deliver(answer);
  }

  /** @throws KafkaError for an error that no retry can change */
  #backOff(partition: SharePartition, name: string): void {
    const kind = kindOf(name);
    if (kind !== 'unavailable' && kind !== 'unknown-topic')
      throw brokerError(name, `${this.context.group}, partition ${partition.partition}`);
    this.context.lost(partition.lose(), name);
    partition.backoffUntil = performance.now() + retryDelayMs(++partition.failures);
    void this.context.relocate();
  }

  async #acknowledge(sent: Sent): Promise<void> {
    const { context, broker } = this;
    const request = shareAcknowledge({ ...this.#id(this.#session.epoch), partitions: formatted(sent) });
    const answers = await this.#send(sent, () => context.send(broker, request, ANSWER_LIMIT_MS));
    this.#session.advance();
    for (const [one, acknowledgements] of sent) {
      const answer = answers.find(({ partition }) => partition === one.partition);
      this.#settle(one, acknowledgements, answer?.error);
    }
  }

  #settle(partition: SharePartition, sent: Acknowledgements | undefined, error: string | undefined): void {
    if (!sent) return;
    if (error === undefined) return partition.acknowledged(sent, performance.now());
    if (error === NOT_HELD) return this.context.lost(partition.refused(sent), error);
    // The leader moved, or will not answer: it has released everything.
    this.context.lost(partition.lose() + sent.size, error);
    void this.context.relocate();
  }

  /** Sends a request; if it fails, the broker has released, or will release, everything that this session held. */
  async #send<R>(sent: Sent, send: () => Promise<R>): Promise<R> {
    try {
      return await send();
    } catch (error) {
      const unsent = [...sent.values()].reduce((sum, { size }) => sum + size, 0);
      const held = this.context.ledBy(this.broker).reduce((sum, one) => sum + one.lose(), 0);
      if (unsent + held > 0) this.context.lost(unsent + held, toKafkaError(error).message);
      this.#session.reset();
      throw error;
    }
  }

  #id(epoch: number): ShareSessionId {
    const { group, memberId, topicId } = this.context;
    return { group, memberId, topicId: this.#session.isOpen ? this.#session.topicId : topicId, epoch };
  }

  /** Closes the session with the last acknowledgements; the broker releases the rest. */
  async #close(): Promise<void> {
    if (!this.#session.isOpen) return;
    const { context, broker } = this;
    const sent = owedBy(context.ledBy(broker));
    const request = shareAcknowledge({ ...this.#id(ShareSession.closing), partitions: formatted(sent) });
    try {
      await context.send(broker, request, CLOSE_LIMIT_MS);
    } catch (error) {
      const unsent = [...sent.values()].reduce((sum, { size }) => sum + size, 0);
      if (unsent > 0) context.lost(unsent, toKafkaError(error).message);
    }
    this.#session.reset();
  }

  async #recover(error: KafkaError, failures: number): Promise<void> {
    const { context, broker } = this;
    if (context.signal.aborted) return;
    if (!error.retriable && error.kind !== 'unknown-topic') throw error;
    context.failed(broker, error);
    await sleep(retryDelayMs(failures), context.signal);
    await context.relocate();
  }
}

/** Returns acknowledgements that must be sent alone: those to be repeated, or else renewals. */
function urgentOf(led: readonly SharePartition[], now: number, lockMs: number): Sent {
  const doubtful = collect(led, (one) => one.takeDoubtful());
  return doubtful.size > 0 ? doubtful : collect(led, (one) => one.renewals(now, lockMs));
}

function owedBy(led: readonly SharePartition[]): Sent {
  return collect(led, (one) => one.takeOwed());
}

function collect(
  led: readonly SharePartition[],
  take: (partition: SharePartition) => Acknowledgements | undefined,
): Sent {
  const taken = new Map<SharePartition, Acknowledgements>();
  for (const one of led) {
    const acknowledgements = take(one);
    if (acknowledgements && acknowledgements.size > 0) taken.set(one, acknowledgements);
  }
  return taken;
}

/** @param added partitions without acknowledgements to name as well */
function formatted(sent: Sent, added: readonly number[] = []): PartitionAcknowledgements[] {
  const owing = [...sent].map(([{ partition }, all]) => ({ partition, ranges: toRanges(all) }));
  const named = new Set(owing.map(({ partition }) => partition));
  return [
    ...owing,
    ...added.filter((one) => !named.has(one)).map((partition) => ({ partition, ranges: [] })),
  ];
}
