import { lacking } from '../cluster/acls.js';
import { KafkaError } from '../kafka/port.js';
import { NoReplyError } from './no-reply-error.js';

/** Describes the missing permission if that is the reason why replies cannot be read. */
export function unreadable(topic: string, cause: unknown): unknown {
  if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
  const resource = /group/i.test(cause.message) ? 'its group' : `topic ${topic}`;
  return new KafkaError(cause.kind, lacking('client', 'READ', resource, cause.message), { cause });
}

/**
 * Describes the missing permission for connecting: some clients initialize a producer id then, which requires WRITE
 * on a topic.
 */
export function unwritable(cause: unknown): unknown {
  if (!(cause instanceof KafkaError) || cause.kind !== 'not-authorized') return cause;
  const sentence = lacking('client', 'WRITE', 'a request topic', cause.message);
  return new KafkaError(cause.kind, sentence, { cause });
}

/** Explains why a request could not be sent. */
export function unsent(topic: string, model: string, cause: KafkaError): Error {
  const missing =
    cause.kind === 'unknown-topic'
      ? `no topic for model '${model}': is the model served by this cluster?`
      : cause.kind === 'not-authorized'
        ? lacking('client', 'WRITE', `topic ${topic}`, cause.message)
        : cause.message;
  return new NoReplyError('unsent', `the request could not be sent: ${missing}`, { cause });
}
