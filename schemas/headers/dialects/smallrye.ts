import { dialect, has, type Names, type ReplyDialect } from './dialect.js';

/** `KafkaRequestReply` of SmallRye Reactive Messaging, used by Quarkus. */
const SMALLRYE: Names = {
  correlation: 'REPLY_CORRELATION_ID',
  topic: 'REPLY_TOPIC',
  partition: 'REPLY_PARTITION',
};

export const smallRyeDialect: ReplyDialect = dialect('smallrye', SMALLRYE, (headers) =>
  has(headers, SMALLRYE),
);
