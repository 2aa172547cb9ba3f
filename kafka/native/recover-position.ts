import type { Logger } from '../../core/log.js';
import { KafkaError, type ConsumerHandlers } from '../port.js';
import type { Source } from './partition-sources.js';
import { EARLIEST, LATEST, type Cluster } from './transport/cluster.js';
import { brokerError, toKafkaError } from './transport/errors.js';

export interface RecoveryParts {
  readonly cluster: Cluster;
  readonly options: { readonly topic: string; readonly from: 'earliest' | 'latest' };
  readonly handlers: Pick<ConsumerHandlers, 'onPosition'>;
  readonly log: Logger;
}

/**
 * Handles a partition's error in a response.
 * @param name protocol name of the error
 * @throws KafkaError unless the position could be reset
 */
export async function recoverPosition(parts: RecoveryParts, source: Source, name: string): Promise<void> {
  if (name === 'OFFSET_OUT_OF_RANGE') return resetPosition(parts, source);
  throw asRetriable(brokerError(name, `${parts.options.topic} ${source.partition}`));
}

/** Resets an out-of-range position, as for a new group: its records have expired or the log was truncated. */
async function resetPosition(
  { cluster, options, handlers, log }: RecoveryParts,
  source: Source,
): Promise<void> {
  const { topic, from } = options;
  const { partition } = source;
  const timestampSpec = from === 'latest' ? LATEST : EARLIEST;
  const offsets = await cluster.listOffsets(topic, [partition], timestampSpec).catch((cause: unknown) => {
    throw asRetriable(toKafkaError(cause));
  });
  const position = offsets.get(partition);
  log.warn(
    { topic, partition, was: source.position, position },
    'offset out of range; resetting the position',
  );
  if (position === undefined) return;
  source.position = position;
  handlers.onPosition?.({ partition, offset: position });
}

/** Makes an unknown topic retriable: it was deleted, or this broker does not know it yet. */
function asRetriable(error: KafkaError): KafkaError {
  return error.kind === 'unknown-topic' ? new KafkaError('unavailable', error.message) : error;
}
