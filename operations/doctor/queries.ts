import { KafkaError } from '../../kafka/port.js';
import { within } from '../../core/time.js';
import { unavailable, type Finding } from './finding.js';

/** Longer than any single look takes on a cluster that answers. */
const LOOK_LIMIT_MS = 30_000;

/** What a look shows, or why it shows nothing. */
export async function settle<T>(look: () => Promise<T>): Promise<T | Error> {
  const late = (): KafkaError => new KafkaError('unavailable', `no answer within ${LOOK_LIMIT_MS} ms`);
  try {
    return await within(LOOK_LIMIT_MS, look(), late);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What can't be seen is a finding, and no reason to end. */
export class Queries {
  readonly findings: Finding[] = [];

  /**
   * @param what in words: "what can't be seen"
   * @param rights that it takes
   * @returns undefined when it can't be seen
   */
  async run<T>(area: string, what: string, rights: string, look: () => Promise<T>): Promise<T | undefined> {
    const seen = await settle(look);
    if (!(seen instanceof Error)) return seen;
    this.findings.push(unavailable(area, what, seen, rights));
    return undefined;
  }
}
