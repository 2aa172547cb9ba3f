import type { KafkaRecord } from '../../kafka/port.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { describe } from '../../schemas/describe.js';
import { PartituraError } from '../../schemas/errors.js';
import {
  confluent,
  detectFraming,
  fallbackFraming,
  headerText,
  type Framing,
  type RecordHeaders,
} from '../../schemas/framing/index.js';
import type { InferenceRequest } from '../../schemas/generated.js';
import type { Rejected } from '../records/dead-letter.js';
import type { RegisteredSchemas } from './registered-schemas.js';
import { errorReply, recordId, type Caller, type Outcome } from './replies/outcome.js';

/** A record that has been decoded. */
export interface ReadRequest {
  readonly request: InferenceRequest;
  readonly caller: Caller;
}

export interface ReaderOptions {
  readonly node: string;
  readonly maxRecordBytes: number;
  readonly isReplyTopicAllowed: (topic: string) => boolean;
  /** Undefined without a schema registry. */
  readonly schemas?: Pick<RegisteredSchemas, 'framingOf'> | undefined;
}

/** Decodes the records of request topics. Pure. */
export class RequestReader {
  constructor(readonly options: ReaderOptions) {}

  /**
   * Decodes a record, or decides its outcome: unreadable records, and those whose reply topic is not allowed, become
   * dead letters.
   * @param model the model that the record's topic belongs to; a request that names none is for this one
   */
  read(record: KafkaRecord, model: string): ReadRequest | Outcome {
    const { value } = record;
    if (value === null) return { kind: 'tombstone', record };
    const framing = this.#framingOf(record, value, model);
    const dialect = detectDialect(record.headers);
    const address = dialect.read(record.headers);
    if (address.topic !== undefined && !this.options.isReplyTopicAllowed(address.topic))
      return refused(record, address.topic);
    const caller = { framing: framing ?? fallbackFraming(record.headers), dialect, address };
    if (framing) return this.#decode(record, value, model, caller);
    const error = unknownFraming(value, record.headers);
    return this.#deadLetter({ record, stage: 'decode', error }, model, caller);
  }

  #framingOf({ headers }: KafkaRecord, value: Buffer, model: string): Framing | undefined {
    const framing = detectFraming(value, headers);
    const { schemas } = this.options;
    return framing === confluent && schemas ? schemas.framingOf(value, headers, model) : framing;
  }

  #decode(record: KafkaRecord, value: Buffer, model: string, caller: Caller): ReadRequest | Outcome {
    let request: InferenceRequest;
    try {
      if (value.length > this.options.maxRecordBytes) return this.#tooLarge(record, value, model, caller);
      request = caller.framing.decodeRequest(value, model, record);
    } catch (cause) {
      const error = PartituraError.from(cause, 'DECODE_FAILED');
      if (error.code === 'DECODE_FAILED')
        return this.#deadLetter({ record, stage: 'decode', error }, model, caller);
      // Its reply could not be encoded; once that is fixed, the dead letter can be replayed.
      if (error.code === 'INTERNAL')
        return this.#deadLetter({ record, stage: 'reply', error }, model, caller);
      return this.refuse(record, caller, { id: '', model, modelVersion: null }, error);
    }
    if (request.id === '') request.id = recordId(record);
    if (request.model === '') request.model = model;
    return { request, caller };
  }

  #tooLarge(record: KafkaRecord, value: Buffer, model: string, caller: Caller): Outcome {
    const message = `request: expected at most ${this.options.maxRecordBytes} bytes, got ${value.length}`;
    const error = new PartituraError('REQUEST_TOO_LARGE', message);
    return this.#deadLetter({ record, stage: 'validate', error }, model, caller);
  }

  /** Returns the error reply to a request that was read but is not computed. */
  refuse(
    record: KafkaRecord,
    caller: Caller,
    request: { id: string; model: string; modelVersion: string | null },
    error: PartituraError,
  ): Outcome {
    const { id, model, modelVersion } = request;
    return {
      kind: 'reply',
      record,
      caller,
      reply: errorReply({ id: id || recordId(record), model, modelVersion }, error, this.options.node),
      deadline: null,
    };
  }

  /** Returns a dead letter, with an error reply only if the headers name a reply topic: garbage is not answered. */
  #deadLetter(rejected: Rejected, model: string, caller: Caller): Outcome {
    if (caller.address.topic === undefined) return { kind: 'dead-letter', ...rejected };
    const { record, error } = rejected;
    const reply = errorReply({ id: recordId(record), model, modelVersion: null }, error, this.options.node);
    return { kind: 'dead-letter', ...rejected, notice: { caller, reply } };
  }
}

function refused(record: KafkaRecord, topic: string): Outcome {
  const error = new PartituraError(
    'REPLY_TOPIC_NOT_ALLOWED',
    `reply topic: expected one that is allowed, got '${topic}'`,
  );
  return { kind: 'dead-letter', record, stage: 'validate', error };
}

function unknownFraming(value: Buffer, headers: RecordHeaders): PartituraError {
  const start = value.subarray(0, 4).toString('hex');
  const contentType = headerText(headers, 'content-type');
  const labelled = contentType ? ` with content-type ${describe(contentType)}` : '';
  const got = value.length === 0 ? 'an empty value' : `${value.length} bytes beginning ${start}`;
  return new PartituraError(
    'DECODE_FAILED',
    `value: expected Avro single-object (c301) or a JSON body, got ${got}${labelled}`,
  );
}
