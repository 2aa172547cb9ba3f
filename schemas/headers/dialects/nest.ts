import { headerBytes } from '../../framing/framing.js';
import { readableMessage } from '../headers.js';
import { dialect, has, isDecimal, type MarkedError, type ReplyDialect } from './dialect.js';
import { SPRING, springDialect } from './spring.js';

/** `KafkaHeaders` of @nestjs/microservices. */
const NEST_ERROR = 'kafka_nest-err';
const NEST_IS_DISPOSED = 'kafka_nest-is-disposed';

/**
 * `ClientKafka`: Spring's names, but the partition is text and always present. Its caller waits for a header that
 * marks the last reply, and reads errors from a header of its own, formatted like an `RpcException`.
 */
export const nestDialect: ReplyDialect = {
  ...dialect(
    'nest',
    SPRING,
    (headers) => has(headers, SPRING) && isDecimal(headerBytes(headers, SPRING.partition)),
  ),

  write(address, error) {
    const headers = springDialect.write(address, error);
    headers[NEST_IS_DISPOSED] = Buffer.alloc(1);
    if (error) headers[NEST_ERROR] = Buffer.from(nestError(error));
    return headers;
  },
};

function nestError({ code, message }: MarkedError): string {
  return JSON.stringify({ status: 'error', code, message: readableMessage(message) });
}
