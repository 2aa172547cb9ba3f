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
