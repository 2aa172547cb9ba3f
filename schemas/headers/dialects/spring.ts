import { dialect, has, type Names, type ReplyDialect } from './dialect.js';

/** spring-kafka's `KafkaHeaders`, whose names NestJS has adopted. */
export const SPRING: Names = {
  correlation: 'kafka_correlationId',
  topic: 'kafka_replyTopic',
  partition: 'kafka_replyPartition',
};

/** `ReplyingKafkaTemplate`: partitions are four bytes. */
export const springDialect: ReplyDialect = dialect('spring', SPRING, (headers) => has(headers, SPRING));
