import type { AcknowledgeType } from '../protocol/share-fetch.js';
import { halved } from './acknowledgements.js';

/** Part of the lock time after which a lock is renewed. */
const RENEW_AFTER = 0.5;

/** Ends of a delivery. */
export type Settlement = Exclude<AcknowledgeType, 'renew'>;

/** Acknowledgements that are sent together and, if the broker refuses them, again in halves. */
export type Acknowledgements = ReadonlyMap<number, AcknowledgeType>;

/**
 * A partition as one member of a share group sees it: the records that it holds, and the acknowledgements that it owes.
 * Times are monotonic milliseconds.
 *
 *   acquired ──▶ held ──▶ settled: owed ──▶ sent
 *                 │ └ renewed at half of the lock time
 *                 └ lost: lock expired, leader moved, or connection closed; the broker delivers the record again
 */
export class SharePartition {
  leader: number | undefined;
  /** False once the group has assigned the partition to others; what is held is finished nevertheless. */
  isAssigned = true;
  /** The partition is not fetched before this time. */
  backoffUntil = 0;
  failures = 0;
  /** Times at which locks were taken or renewed, the oldest first. */
  readonly #locks = new Map<number, number>();
  #owed = new Map<number, AcknowledgeType>();
  #owedSince = Infinity;
  /** Refused acknowledgements, to be sent alone: the broker refuses all of a partition for one record that is not held. */
  readonly #doubtful: Acknowledgements[] = [];

  constructor(readonly partition: number) {}

  get held(): number {
    return this.#locks.size;
  }

  get isFinished(): boolean {
    return this.#locks.size === 0 && this.#owed.size === 0 && this.#doubtful.length === 0;
  }

  /** Time since which acknowledgements are owed; infinite if none is. */
  get owedSince(): number {
    return this.#owedSince;
  }

  isWanted(now: number): boolean {
    return this.isAssigned && now >= this.backoffUntil;
  }

  acquire(offset: number, now: number): void {
    this.#locks.delete(offset);
    this.#locks.set(offset, now);
  }

  /** Ends a delivery. @returns false if the record is not held any more */
  settle(offset: number, type: Settlement, now: number): boolean {
    if (!this.#locks.delete(offset)) return false;
    this.#owed.set(offset, type);
    this.#owedSince = Math.min(this.#owedSince, now);
    return true;
  }

  takeOwed(): Acknowledgements {
    const owed = this.#owed;
    this.#owed = new Map();
    this.#owedSince = Infinity;
    return owed;
  }

  takeDoubtful(): Acknowledgements | undefined {
    return this.#doubtful.shift();
  }

  /** Returns renewals of the locks that have used up half of their time. */
  renewals(now: number, lockMs: number): Acknowledgements {
    const due = new Map<number, AcknowledgeType>();
    for (const [offset, since] of this.#locks) {
      if (now - since < lockMs * RENEW_AFTER) break;
      due.set(offset, 'renew');
    }
    return due;
  }

  /** Returns the time at which the next lock must be renewed; infinite without locks. */
  nextRenewalAt(lockMs: number): number {
    const [oldest = Infinity] = this.#locks.values();
    return oldest + lockMs * RENEW_AFTER;
  }

  /** Notes that the broker has accepted acknowledgements. */
  acknowledged(sent: Acknowledgements, now: number): void {
    for (const [offset, type] of sent)
      if (type === 'renew' && this.#locks.has(offset)) this.acquire(offset, now);
  }

  /**
   * Notes that the broker has refused acknowledgements: all of them, even if one record only is not held any more.
   * @returns the number of records that are lost for certain
   */
  refused(sent: Acknowledgements): number {
    if (sent.size > 1) this.#doubtful.push(...halved(sent));
    else for (const offset of sent.keys()) this.#locks.delete(offset);
    return sent.size > 1 ? 0 : sent.size;
  }

  /** Gives up locks that have expired. @returns their number */
  expire(now: number, lockMs: number): number {
    let expired = 0;
    for (const [offset, since] of this.#locks) {
      if (now - since < lockMs) break;
      this.#locks.delete(offset);
      expired++;
    }
    return expired;
  }

  /** Gives up everything: the broker has released it. @returns the number of records lost */
  lose(): number {
    const lost = this.#locks.size + this.#owed.size;
    this.#locks.clear();
    this.takeOwed();
    this.#doubtful.length = 0;
    return lost;
  }
}
