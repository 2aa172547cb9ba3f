import { count, number, option, text } from './option.js';

/** Options of the topics that Partitura creates and uses. */
export const TOPICS = {
  prefix: option(
    'PARTITURA_PREFIX',
    text.regex(/^[A-Za-z0-9_-]+$/),
    'partitura',
    'Prefix of topic and group names',
  ),
  partitions: option(
    'PARTITURA_PARTITIONS',
    count,
    8,
    'Partitions of topics that Partitura creates; an upper bound on the nodes that share one model',
  ),
  queuePartitions: option(
    'PARTITURA_QUEUE_PARTITIONS',
    count,
    1,
    'Partitions of request topics that Partitura creates for models with `delivery: queue`. Nodes share a partition only if they outnumber the partitions; use at most a third of the nodes',
  ),
  replicationFactor: option(
    'PARTITURA_REPLICATION_FACTOR',
    number.int().min(-1),
    -1,
    "Replication factor of topics that Partitura creates; -1 uses the broker's default",
  ),
  maxRecordBytes: option(
    'PARTITURA_MAX_RECORD_BYTES',
    count,
    1_000_000,
    'Maximum size of a request or reply, in bytes of the record value',
  ),
};
