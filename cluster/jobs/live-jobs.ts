import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient, KafkaRecord } from '../../kafka/port.js';
import { FollowedTopic } from '../../kafka/reading/followed-topic.js';
import { topicNames } from '../topics.js';
import { collectJobs, readStatus, type JobStatus, type KnownJobs } from './job-status.js';

/** Limits of the status topic in memory. */
export const STATUS_LIMITS = { maxRecordBytes: 256 * 1024, maxBytes: 64 * 1024 * 1024 };

/** The jobs of the status topic, kept up to date. */
export class LiveJobs {
  readonly #followed: FollowedTopic;
  /** Statuses by their records: each is parsed once, although every change collects all of them again. */
  readonly #read = new WeakMap<KafkaRecord, JobStatus | undefined>();
  #known: KnownJobs | undefined;

  constructor(
    kafka: KafkaClient,
    { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
    log: Logger,
  ) {
    const topic = topicNames(prefix).jobStatus;
    this.#followed = new FollowedTopic(kafka, { ...STATUS_LIMITS, topic, fetchMaxBytes, log });
    this.#followed.onChange(() => (this.#known = undefined));
  }

  /** Reads the current statuses, then follows. @throws KafkaError if the topic cannot be read */
  start(): Promise<void> {
    return this.#followed.start();
  }

  get #jobs(): KnownJobs {
    this.#known ??= collectJobs(this.#followed.records(), (record) => this.#statusIn(record));
    return this.#known;
  }

  #statusIn(record: KafkaRecord): JobStatus | undefined {
    if (!this.#read.has(record)) this.#read.set(record, readStatus(record));
    return this.#read.get(record);
  }

  /** Returns all jobs, the one that changed last at the end. */
  all(): readonly JobStatus[] {
    return [...this.#jobs.statuses.values()];
  }

  get(id: string): JobStatus | undefined {
    return this.#jobs.statuses.get(id);
  }

  isCancelled(id: string): boolean {
    return this.#jobs.cancelled.has(id);
  }

  /** Resolves once everything written so far is read. @throws KafkaError */
  readToEnd(): Promise<number> {
    return this.#followed.readToEnd();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    return this.#followed.onChange(listener);
  }

  close(): Promise<void> {
    return this.#followed.close();
  }
}
