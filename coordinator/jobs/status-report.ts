import { statusRecord, type JobStatus } from '../../cluster/jobs/job-status.js';
import type { Outbox } from '../../kafka/sending/outbox.js';

const REPORT_MS = 500;

/** The status of one job on the status topic: reported at intervals while it changes. */
export class StatusReport {
  readonly #timer: NodeJS.Timeout;
  #last = '';

  /** @param current returns the status as it is now */
  constructor(
    readonly outbox: Pick<Outbox, 'push'>,
    readonly topic: string,
    readonly current: () => JobStatus,
  ) {
    this.#report();
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
  }

  /** Ends the reports, when the job has ended or another coordinator has it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #report(): void {
    const status = this.current();
    const { updatedAt: _time, ...content } = status;
    const text = JSON.stringify(content);
    if (text === this.#last) return;
    this.#last = text;
    // A status that is lost is followed by the next one.
    const ignore = (): void => undefined;
    this.outbox.push(statusRecord(this.topic, status), { delivered: ignore, failed: ignore });
  }
}

/** Reports the end of a job. Resolves once the broker has it, or has refused it. */
export function reportEnd(outbox: Pick<Outbox, 'push'>, topic: string, status: JobStatus): Promise<void> {
  return new Promise((resolve) => {
    outbox.push(statusRecord(topic, status), { delivered: resolve, failed: () => resolve() });
  });
}
