import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient } from '../../kafka/port.js';
import { FollowedTopic } from '../../kafka/reading/followed-topic.js';
import { topicNames } from '../topics.js';
import { collectJobs, type JobStatus, type KnownJobs } from './job-status.js';

const LIMITS = { maxRecordBytes: 256 * 1024, maxBytes: 64 * 1024 * 1024 };

/** The jobs of the status topic, kept up to date. */
export class LiveJobs {
  readonly #followed: FollowedTopic;
  #known: KnownJobs | undefined;

  constructor(
    kafka: KafkaClient,
    { prefix, fetchMaxBytes }: Pick<Config, 'prefix' | 'fetchMaxBytes'>,
    log: Logger,
  ) {
    const topic = topicNames(prefix).jobStatus;
    this.#followed = new FollowedTopic(kafka, { ...LIMITS, topic, fetchMaxBytes, log });
    this.#followed.onChange(() => (this.#known = undefined));
  }

  /** Reads the current statuses, then follows. @throws KafkaError if the topic cannot be read */
  start(): Promise<void> {
    return this.#followed.start();
  }

  get #jobs(): KnownJobs {
    this.#known ??= collectJobs(this.#followed.records());
    return this.#known;
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
