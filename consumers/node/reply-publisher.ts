import { headersToPass } from '../../schemas/headers/reply-headers.js';
import { ReplyPublisher } from '../requests/replies/publisher.js';
import { noteDeadLetter, type Foundation } from './foundation.js';

/** Creates the publisher of outcomes of a process: a node, or a coordinator. */
export function createReplyPublisher(foundation: Foundation): ReplyPublisher {
  const { id: node, config, topics, outbox, destinations, spans, lifecycle } = foundation;
  const { maxRecordBytes, deadLetterHeaders, replyHeaders } = config;
  return new ReplyPublisher(outbox, {
    topics,
    node,
    spans,
    maxRecordBytes,
    deadLetterHeaders,
    passHeaders: headersToPass(replyHeaders),
    onStuck: (error) => lifecycle.fail(error),
    onTopicRefused: (topic, reason) => destinations.refuse(topic, reason),
    onDeadLetter: (reason, record, message) => noteDeadLetter(foundation, reason, record, message),
  });
}
