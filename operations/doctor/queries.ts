import { KafkaError } from '../../kafka/port.js';
import { within } from '../../core/time.js';
import { unavailable, type Finding } from './finding.js';

/** Longer than any single query takes on a responsive cluster. */
const QUERY_LIMIT_MS = 30_000;

/** Runs a query and returns its result, or the error that it failed with. */
export async function settle<T>(query: () => Promise<T>): Promise<T | Error> {
  const late = (): KafkaError => new KafkaError('unavailable', `no answer within ${QUERY_LIMIT_MS} ms`);
  try {
    return await within(QUERY_LIMIT_MS, query(), late);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Runs queries; a failed query becomes a finding, and the examination continues. */
export class Queries {
  readonly findings: Finding[] = [];

  /**
   * @param subject of the query, as in "subject: not available"
   * @param rights that the query needs
   * @returns undefined if the query failed
   */
  async run<T>(
    area: string,
    subject: string,
    rights: string,
    query: () => Promise<T>,
  ): Promise<T | undefined> {
    const result = await settle(query);
    if (!(result instanceof Error)) return result;
    this.findings.push(unavailable(area, subject, result, rights));
    return undefined;
  }
}
