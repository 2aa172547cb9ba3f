import { JobClient } from '../../operations/jobs/job-client.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { KafkaClient } from '../../kafka/port.js';

/** A client of split jobs that connects when it is first used: many gateways never are asked for jobs. */
export class OpenedJobs {
  #opening: Promise<JobClient> | undefined;

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

  async #open(): Promise<JobClient> {
    const client = new JobClient(this.config, this.kafka, this.log);
    try {
      await client.open();
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
