import { JobClient } from '../../operations/jobs/job-client.js';
import type { JobStatus } from '../../cluster/jobs/job-status.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient } from '../../kafka/port.js';

/** A client of split jobs that connects when it is first used: many gateways never are asked for jobs. */
export class OpenedJobs {
  #opening: Promise<JobClient> | undefined;
  #opened: JobClient | undefined;

  constructor(
    readonly config: Config,
    readonly kafka: KafkaClient,
    readonly log: Logger,
  ) {}

  /** Returns the connected client. @throws KafkaError if the cluster cannot be reached; a next call tries again */
  client(): Promise<JobClient> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Returns the jobs as last read; none until the client has connected, which the first call begins. */
  current(): readonly JobStatus[] {
    if (!this.#opened)
      this.client().catch((error: unknown) => this.log.debug({ err: error }, 'jobs cannot be read'));
    return this.#opened?.jobs.all() ?? [];
  }

  async #open(): Promise<JobClient> {
    const client = new JobClient(this.config, this.kafka, this.log);
    try {
      await client.open();
      this.#opened = client;
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = await this.#opening?.catch(() => undefined);
    await client?.close();
  }
}
