import { randomUUID } from 'node:crypto';
import {
  cancelRecord,
  isFinished,
  JOB_ID,
  queuedStatus,
  statusRecord,
  type JobStatus,
} from '../../cluster/jobs/job-status.js';
import { LiveJobs } from '../../cluster/jobs/live-jobs.js';
import { ensureTopics } from '../../cluster/ensure-topics.js';
import { clusterTopics } from '../../cluster/topic-specs.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient, KafkaProducer } from '../../kafka/port.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { encodeRequest } from '../../schemas/framing/single-object.js';
import type { Tensor } from '../../schemas/generated.js';
import { isModelName } from '../../schemas/model-name.js';

/** A job to submit. */
export interface JobSubmission {
  /** Chosen by the submitter; the same id is the same job. Generated if absent. */
  readonly id?: string | undefined;
  readonly kind: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly inputs: readonly Tensor[];
  /** Milliseconds since the epoch. */
  readonly deadline?: number | null | undefined;
}

/** Returns the sentence about an id that no job has. */
export function unknownJob(id: string): string {
  return `job '${id}': expected a job of the last week, got an unknown id`;
}

/** Submits and cancels split jobs and knows their status. */
export class JobClient {
  readonly jobs: LiveJobs;
  readonly #producer: KafkaProducer;

  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    log: Logger,
  ) {
    this.jobs = new LiveJobs(kafka, config, log);
    this.#producer = kafka.producer();
  }

  /** Creates missing topics and connects. @throws KafkaError if the cluster cannot be reached */
  async open(): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      await ensureTopics(admin, clusterTopics(this.config));
    } finally {
      await admin.close();
    }
    await Promise.all([this.#producer.connect(), this.jobs.start()]);
  }

  /**
   * Submits a job, unless there is one of this id. Resolves with its id once the broker has it.
   * @throws PartituraError INVALID_REQUEST for an id in another form, REQUEST_TOO_LARGE, KafkaError
   */
  async submit({
    id = randomUUID(),
    kind,
    parameters,
    inputs,
    deadline = null,
  }: JobSubmission): Promise<string> {
    if (!isModelName(kind)) throw invalidRequest(`kind: expected letters, digits, _ and -, got '${kind}'`);
    if (!JOB_ID.test(id))
      throw invalidRequest(`id: expected 1 to 200 letters, digits and . _ -, got '${id}'`);
    const value = encodeRequest({
      id,
      model: kind,
      modelVersion: null,
      inputs: [...inputs],
      outputs: [],
      parameters: { ...parameters },
      deadline,
    });
    const most = this.config.maxRecordBytes;
    if (value.length > most)
      throw new PartituraError(
        'REQUEST_TOO_LARGE',
        `job: expected at most ${most} bytes, got ${value.length}; name files instead`,
      );
    const known = this.jobs.get(id);
    if (known && known.state !== 'QUEUED') return id;
    const { jobs, jobStatus } = topicNames(this.config.prefix);
    const key = Buffer.from(id);
    const headers = { 'correlation-id': Buffer.from(id) };
    // The status is first, so that it never replaces one of a coordinator.
    await this.#producer.send([statusRecord(jobStatus, queuedStatus(id, kind, Date.now()))]);
    await this.#producer.send([{ topic: jobs, key, value, headers }]);
    await this.jobs.readToEnd();
    return id;
  }

  /** Orders a job to be cancelled. @throws PartituraError JOB_CANCELLED or INVALID_REQUEST if it has ended, KafkaError */
  async cancel(id: string, requestedBy: string): Promise<void> {
    const status = this.jobs.get(id);
    if (status && isFinished(status))
      throw invalidRequest(`job '${id}': expected one that runs, but it is ${status.state}`);
    await this.#producer.send([cancelRecord(topicNames(this.config.prefix).jobStatus, id, requestedBy)]);
  }

  /** Resolves with the status of a job once it has ended, or when `signal` aborts. */
  async whenFinished(
    id: string,
    onChange: (status: JobStatus) => void,
    signal: AbortSignal,
  ): Promise<JobStatus | undefined> {
    return new Promise((resolve) => {
      const check = (): void => {
        const status = this.jobs.get(id);
        if (status) onChange(status);
        if (signal.aborted || (status && isFinished(status))) end(status);
      };
      const unsubscribe = this.jobs.onChange(check);
      const end = (status: JobStatus | undefined): void => {
        unsubscribe();
        signal.removeEventListener('abort', check);
        resolve(status);
      };
      signal.addEventListener('abort', check);
      check();
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.jobs.close(), this.#producer.close()]);
  }
}
