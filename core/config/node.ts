import { DEAD_LETTER_STYLES } from '../../schemas/headers/headers.js';
import { z } from 'zod';
import { count, flag, list, number, option, optionalText } from './option.js';

/** Deliveries of requests to the nodes of a model. */
export const DELIVERIES = ['ordered', 'queue'] as const;
export type Delivery = (typeof DELIVERIES)[number];

/** Options of an inference node: limits, replies, bindings and group membership. */
export const NODE = {
  maxInflightRequests: option(
    'PARTITURA_MAX_INFLIGHT_REQUESTS',
    count,
    4_000,
    'Requests in flight at which a node stops fetching',
  ),
  maxInflightBytes: option(
    'PARTITURA_MAX_INFLIGHT_BYTES',
    count,
    128 * 1024 * 1024,
    'Bytes in flight at which a node stops fetching; a batch of records that decompresses to more than a quarter of this is unreadable',
  ),
  delivery: option(
    'PARTITURA_DELIVERY',
    z.enum(DELIVERIES),
    'ordered',
    'Delivery of requests to nodes: ordered (consumer group, order per partition) or queue (share group, each request to the node that is free first, without order; Kafka 4.2 or later, native client). `delivery` in model.yaml overrides it',
  ),
  ordered: option(
    'PARTITURA_ORDERED',
    flag,
    true,
    'Replies of a partition leave in the order of its requests',
  ),
  replyTopics: option(
    'PARTITURA_REPLY_TOPICS',
    list,
    '',
    'Reply topics that senders may name, as patterns (`*` matches anything); if empty, names with a part `replies` and names that end in `.reply`',
  ),
  bindingTopics: option(
    'PARTITURA_BINDING_TOPICS',
    list,
    '',
    'Topics that bindings may read and write, as patterns (`*` matches anything); if empty, no binding runs. Topics of Kafka and of Partitura are never allowed. `up` with its own broker allows all others',
  ),
  deadLetterHeaders: option(
    'PARTITURA_DEAD_LETTER_HEADERS',
    z.enum(DEAD_LETTER_STYLES),
    'connect',
    'Error headers of dead letters: connect (`__connect.errors.*`), spring (`kafka_dlt-*`) or both',
  ),
  replyHeaders: option(
    'PARTITURA_REPLY_HEADERS',
    list,
    '',
    'Request headers to copy to replies, as patterns (`*` matches anything); trace headers are always copied',
  ),
  commitIntervalMs: option(
    'PARTITURA_COMMIT_INTERVAL_MS',
    count,
    500,
    'How often offsets are committed, in milliseconds',
  ),
  sessionTimeoutMs: option(
    'PARTITURA_SESSION_TIMEOUT_MS',
    number.int().min(6_000),
    10_000,
    "Milliseconds without a heartbeat after which a node's partitions are reassigned",
  ),
  drainTimeoutMs: option(
    'PARTITURA_DRAIN_TIMEOUT_MS',
    count,
    8_000,
    'Maximum time to finish work in flight when a node stops or its partitions are revoked, in milliseconds; must be below the session timeout',
  ),
  nodeForgetMs: option(
    'PARTITURA_NODE_FORGET_MS',
    number.int().min(1_000),
    300_000,
    'Milliseconds without a status after which a dead node is no longer listed; nodes with READ on the node topic then delete its status',
  ),
  nodeId: option('PARTITURA_NODE_ID', optionalText, undefined, 'Node name; generated if unset'),
};
