import { lacking } from '../../cluster/acls.js';
import { KafkaError } from '../../kafka/port.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import { TailedTopic } from '../../kafka/reading/tailed-topic.js';
import type { CancelledRequests } from '../requests/cancelled-requests.js';
import type { Foundation } from './foundation.js';

/** Creates the reader of the cancellation topic. */
export function tailCancellations(
  { kafka, config, topics, log }: Foundation,
  cancelled: CancelledRequests,
): TailedTopic {
  return new TailedTopic(kafka, {
    topic: topics.cancellations,
    fetchMaxBytes: config.fetchMaxBytes,
    log,
    onRecords: (records) => cancelled.add(records),
  });
}

/** Starts following cancellations. A node that may not read them computes abandoned requests until their deadlines. */
export async function startCancellations(
  tail: TailedTopic,
  { outage, lifecycle, topics, log }: Pick<Foundation, 'outage' | 'lifecycle' | 'topics' | 'log'>,
): Promise<void> {
  try {
    await untilAvailable(() => tail.start(), outage, lifecycle.closing);
  } catch (error) {
    const isMissing =
      error instanceof KafkaError && (error.kind === 'not-authorized' || error.kind === 'unknown-topic');
    if (!isMissing) throw error;
    const reason = lacking('node', 'READ', `topic ${topics.cancellations}`, error.message);
    log.warn(
      { reason },
      'cancellations cannot be read; abandoned requests are computed until their deadlines',
    );
  }
}
