import { statusRecord, type JobStatus } from '../../cluster/jobs/job-status.js';
import type { Outbox } from '../../kafka/sending/outbox.js';

const REPORT_MS = 500;

/** The status of one job on the status topic: reported at intervals while it changes. */
export class StatusReport {
  readonly #timer: NodeJS.Timeout;
  #last = '';
  /** Resolves once the first report is written, or was refused: a next coordinator knows that this one began. */
  readonly begun: Promise<void>;

  /**
   * @param current returns the status as it is now
   * @param isValid returns false once another coordinator has the job, whose reports must not be overwritten
   */
  constructor(
    readonly outbox: Pick<Outbox, 'push'>,
    readonly topic: string,
    readonly current: () => JobStatus,
    readonly isValid: () => boolean,
  ) {
    this.begun = new Promise((resolve) => this.#report(resolve));
    this.#timer = setInterval(() => this.#report(), REPORT_MS);
  }

  /** Ends the reports, when the job has ended or another coordinator has it. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #report(written: () => void = () => undefined): void {
    const status = this.current();
    const { updatedAt: _time, ...content } = status;
    const text = JSON.stringify(content);
    if (text === this.#last) return;
    this.#last = text;
    const begins = (): boolean => {
      const isValid = this.isValid();
      if (!isValid) written();
      return isValid;
    };
    // A status that is lost is followed by the next one.
    this.outbox.push(statusRecord(this.topic, status), { begins, delivered: written, failed: written });
  }
}

/** Reports the end of a job. Resolves once the broker has it, or has refused it. */
export function reportEnd(outbox: Pick<Outbox, 'push'>, topic: string, status: JobStatus): Promise<void> {
  return new Promise((resolve) => {
    outbox.push(statusRecord(topic, status), { delivered: resolve, failed: () => resolve() });
  });
}
