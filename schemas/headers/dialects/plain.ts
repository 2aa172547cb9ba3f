import { headerText, type RecordHeaders } from '../../framing/framing.js';
import { dialect, type Names, type ReplyDialect } from './dialect.js';

const PLAIN: Names = { correlation: 'correlation-id', topic: 'reply-to', partition: 'reply-partition' };

/** `correlation-id`, `reply-to` and `reply-partition` (decimal text); also for requests without a reply address. */
export const plainDialect: ReplyDialect = dialect('plain', PLAIN, () => true);

/** Creates the headers that request a reply in the plain dialect. */
export function replyTo(topic: string, partition: number, correlation: string): RecordHeaders {
  return {
    [PLAIN.correlation]: Buffer.from(correlation),
    [PLAIN.topic]: Buffer.from(topic),
    [PLAIN.partition]: Buffer.from(String(partition)),
  };
}

/** Returns the correlation id of a reply in the plain dialect. */
export function correlationOf(headers: RecordHeaders): string | undefined {
  return headerText(headers, PLAIN.correlation);
}
