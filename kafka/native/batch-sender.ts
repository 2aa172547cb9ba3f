import { sleep } from '../../core/time.js';
import { partitionOfKey } from '../key-partition.js';
import { KafkaError, type OutgoingRecord } from '../port.js';
import { retryDelayMs } from '../errors/retry-delay.js';
import type { Cluster, TopicMetadata } from './transport/cluster.js';
import type { Broker } from './transport/connections.js';
import { brokerError, toKafkaError } from './transport/errors.js';
import { ledPartitions, StickyPartitioner } from './sticky-partitioner.js';
import { produceRequest, type PartitionBatch, type ProducedPartition } from './protocol/produce.js';
import { TRIES } from './transport/retry.js';
import { writeBatch, type ProducerIdentity } from './protocol/write-batch.js';

/** Time the broker may wait for its replicas; the request itself has slightly more. */
const REPLICAS_LIMIT_MS = 12_000;
const REQUEST_LIMIT_MS = 15_000;
/** Retry limit of one send; after that, the caller decides whether to retry. */
const SEND_LIMIT_MS = 30_000;
/** Time a partition may be without a leader while others have theirs; longer than an election takes. */
const LEADERLESS_LIMIT_MS = 15_000;
/** A new topic is not known to every broker at once. */
const TRIES_FOR_UNKNOWN_TOPIC = 3;
/** Time until records without a key or partition reach partitions added to a topic. */
const METADATA_MAX_AGE_MS = 5 * 60_000;
const SEQUENCE_MASK = 0x7fffffff;

/** A batch in flight, with the data needed to advance its sequence on delivery. */
export interface OutgoingBatch extends PartitionBatch {
  readonly sequenceKey: string;
  readonly records: number;
}

/**
 * Sends batches of one producer identity, one send at a time. A batch keeps its partition, sequence number and bytes
 * across retries, so the broker recognizes duplicates.
 */
export class BatchSender {
  readonly #sequences = new Map<string, number>();
  readonly #spreads = new Map<string, StickyPartitioner>();

  constructor(
    readonly cluster: Cluster,
    readonly identity: ProducerIdentity,
    readonly transactionalId: string | null,
    readonly closing: AbortSignal,
  ) {}

  /** Selects partitions and builds one batch for each. */
  async prepare(records: readonly OutgoingRecord[]): Promise<OutgoingBatch[]> {
    const batches: OutgoingBatch[] = [];
    const timestamp = Date.now();
    for (const [topic, own] of byTopic(records)) {
      const metadata = this.#current(topic, own) ?? (await this.#find(topic));
      for (const [partition, members] of this.#byPartition(own, metadata)) {
        const sequenceKey = `${topic} ${partition}`;
        const sequence = this.#sequences.get(sequenceKey) ?? 0;
        const batch = writeBatch(members, this.identity, sequence, timestamp);
        batches.push({ topic, partition, batch, sequenceKey, records: members.length });
      }
    }
    return batches;
  }

  /** Returns cached metadata, unless it is stale or a record names a partition that did not exist then. */
  #current(topic: string, records: readonly OutgoingRecord[]): TopicMetadata | undefined {
    const known = this.cluster.known(topic, METADATA_MAX_AGE_MS);
    if (known && records.every(({ partition = 0 }) => partition < known.leaders.length)) return known;
    this.cluster.forget(topic);
    return undefined;
  }

  async #find(topic: string): Promise<TopicMetadata> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.cluster.topic(topic);
      } catch (cause) {
        const error = toKafkaError(cause);
        if (!this.#shouldRetry(error, attempt)) throw error;
        await sleep(retryDelayMs(attempt), this.closing);
      }
    }
  }

  #shouldRetry(error: KafkaError, attempt: number): boolean {
    if (this.closing.aborted) return false;
    if (error instanceof Leaderless) return true;
    const { kind } = error;
    if (kind === 'unknown-topic') return attempt < TRIES_FOR_UNKNOWN_TOPIC;
    return kind === 'unavailable' && attempt < TRIES;
  }

  #byPartition(
    records: readonly OutgoingRecord[],
    { name, leaders }: TopicMetadata,
  ): Map<number, OutgoingRecord[]> {
    const spread = this.#spread(name);
    const led = ledPartitions(leaders);
    const partitions = new Map<number, OutgoingRecord[]>();
    for (const record of records) {
      const partition =
        record.partition ??
        (record.key ? partitionOfKey(record.key, leaders.length) : (led[spread.partition(led.length)] ?? 0));
      const members = partitions.get(partition);
      if (members) members.push(record);
      else partitions.set(partition, [record]);
    }
    return partitions;
  }

  #spread(topic: string): StickyPartitioner {
    let spread = this.#spreads.get(topic);
    if (!spread) this.#spreads.set(topic, (spread = new StickyPartitioner()));
    spread.nextBatch();
    return spread;
  }

  /**
   * Resolves when all batches are written.
   * @throws KafkaError if some may not be; the sender is then unusable, because continuing their partitions'
   * sequences would make the broker treat other batches as duplicates
   */
  async deliver(batches: readonly OutgoingBatch[]): Promise<void> {
    const giveUpAt = Date.now() + SEND_LIMIT_MS;
    let left = batches;
    for (let attempt = 1; left.length > 0; attempt++) {
      const failure = await this.#try(left);
      if (!failure) return;
      const { problem } = failure;
      left = failure.retriable;
      if (Date.now() >= giveUpAt || !this.#shouldRetry(problem, attempt)) throw problem;
      await sleep(retryDelayMs(attempt), this.closing);
      await this.#refresh(left);
    }
  }

  /**
   * Sends once and returns the batches to retry, with the reason; undefined if all are written. @throws KafkaError if
   * a batch is permanently refused
   */
  async #try(
    batches: readonly OutgoingBatch[],
  ): Promise<{ retriable: OutgoingBatch[]; problem: KafkaError } | undefined> {
    const retriable: OutgoingBatch[] = [];
    const refused: KafkaError[] = [];
    let problem: KafkaError | undefined;
    const settle = (batch: OutgoingBatch, error: KafkaError | undefined, mayRetry: boolean): void => {
      if (!error) return this.#advance(batch);
      if (!mayRetry) return void refused.push(error);
      problem = error;
      retriable.push(batch);
    };
    await Promise.all(
      this.#byLeader(batches, settle).map(([leader, led]) => this.#sendTo(leader, led, settle)),
    );
    if (refused[0]) throw refused[0];
    return problem && { retriable, problem };
  }

  #byLeader(batches: readonly OutgoingBatch[], settle: Settle): [number, OutgoingBatch[]][] {
    const leaders = new Map<number, OutgoingBatch[]>();
    for (const batch of batches) {
      const { topic, partition } = batch;
      const known = this.cluster.known(topic)?.leaders;
      const leader = known?.[partition];
      if (known && partition >= known.length)
        settle(
          batch,
          brokerError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${topic} has no partition ${partition}`),
          false,
        );
      else if (leader === undefined) settle(batch, ...this.#withoutLeader(batch));
      else append(leaders, leader, batch);
    }
    return [...leaders];
  }

  /**
   * Decides on a batch whose partition has no leader: if only that partition is affected, its records are eventually
   * refused, so that they do not block all others.
   */
  #withoutLeader({ topic, partition }: PartitionBatch): [error: KafkaError, mayRetry: boolean] {
    if (!this.cluster.isLed) return [brokerError('LEADER_NOT_AVAILABLE', `${topic} ${partition}`), true];
    const isGone = this.cluster.leaderlessMs(topic, partition) >= LEADERLESS_LIMIT_MS;
    return [new Leaderless(isGone ? 'other' : 'unavailable', `${topic} ${partition} has no leader`), !isGone];
  }

  async #sendTo(leader: number, batches: readonly OutgoingBatch[], settle: Settle): Promise<void> {
    let produced: ProducedPartition[];
    try {
      produced = await this.#produce(this.cluster.broker(leader), batches);
    } catch (cause) {
      const error = toKafkaError(cause);
      for (const batch of batches) settle(batch, error, error.kind === 'unavailable');
      return;
    }
    for (const batch of batches) {
      const answer = produced.find(
        ({ topic, partition }) => topic === batch.topic && partition === batch.partition,
      );
      settle(batch, ...verdict(batch, answer));
    }
  }

  #produce(broker: Broker, batches: readonly OutgoingBatch[]): Promise<ProducedPartition[]> {
    const request = produceRequest(batches, REPLICAS_LIMIT_MS, this.transactionalId);
    return this.cluster.connections.send(broker, request, REQUEST_LIMIT_MS);
  }

  #advance({ sequenceKey, records }: OutgoingBatch): void {
    this.#sequences.set(sequenceKey, ((this.#sequences.get(sequenceKey) ?? 0) + records) & SEQUENCE_MASK);
  }

  /** Refreshes metadata: leaders may have moved and topics may be gone. */
  async #refresh(batches: readonly OutgoingBatch[]): Promise<void> {
    const topics = [...new Set(batches.map(({ topic }) => topic))];
    for (const topic of topics) this.cluster.forget(topic);
    await Promise.all(topics.map((topic) => this.#find(topic)));
  }
}

/** A partition without a leader while others have theirs: limited by time rather than by attempts. */
class Leaderless extends KafkaError {}

type Settle = (batch: OutgoingBatch, error: KafkaError | undefined, mayRetry: boolean) => void;

function verdict(
  { topic, partition }: PartitionBatch,
  answer: ProducedPartition | undefined,
): [error: KafkaError | undefined, mayRetry: boolean] {
  if (!answer) return [new KafkaError('other', `no response for ${topic} ${partition}`), false];
  const { error, detail } = answer;
  if (error === undefined || error === 'DUPLICATE_SEQUENCE_NUMBER') return [undefined, false];
  const refusal = brokerError(error, `${topic} ${partition}${detail ? `: ${detail}` : ''}`);
  return [refusal, refusal.kind === 'unavailable' || refusal.kind === 'unknown-topic'];
}

function byTopic(records: readonly OutgoingRecord[]): Map<string, OutgoingRecord[]> {
  const topics = new Map<string, OutgoingRecord[]>();
  for (const record of records) append(topics, record.topic, record);
  return topics;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
