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
import type { ModelWork } from './model-job.js';
import type { ModelCatalog } from '../models/catalog.js';
import type { ServedVersion } from '../models/served-version.js';
import { validateRequest } from '../models/validate.js';
import type { RegisteredSchemas } from './registered-schemas.js';
import { errorReply, recordId, type Caller, type Outcome } from './replies/outcome.js';

/** A request to compute. */
export interface Admitted extends ModelWork {
  readonly request: InferenceRequest;
  readonly caller: Caller;
}

export interface AdmissionOptions {
  readonly node: string;
  readonly maxRecordBytes: number;
  readonly isReplyTopicAllowed: (topic: string) => boolean;
  /** Undefined without a schema registry. */
  readonly schemas?: Pick<RegisteredSchemas, 'framingOf'> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Decides whether a record is a request to compute or ends with an outcome at once. Pure.
 * Unreadable records, and those whose reply topic is not allowed, become dead letters; readable ones that cannot be
 * served get an error reply.
 */
export class Admission {
  constructor(
    readonly catalog: Pick<ModelCatalog, 'resolve'>,
    readonly options: AdmissionOptions,
  ) {}

  /** @param model the model that the record's topic belongs to */
  decide(record: KafkaRecord, model: string): Admitted | Outcome {
    const { value } = record;
    if (value === null) return { kind: 'tombstone', record };
    const framing = this.#framingOf(record, value, model);
    const dialect = detectDialect(record.headers);
    const address = dialect.read(record.headers);
    if (address.topic !== undefined && !this.options.isReplyTopicAllowed(address.topic))
      return refused(record, address.topic);
    const caller = { framing: framing ?? fallbackFraming(record.headers), dialect, address };
    if (!framing)
      return this.#deadLetter(
        { record, stage: 'decode', error: unknownFraming(value, record.headers) },
        model,
        caller,
      );
    return this.#read(record, value, model, caller);
  }

  #framingOf({ headers }: KafkaRecord, value: Buffer, model: string): Framing | undefined {
    const framing = detectFraming(value, headers);
    const { schemas } = this.options;
    return framing === confluent && schemas ? schemas.framingOf(value, headers, model) : framing;
  }

  #read(record: KafkaRecord, value: Buffer, model: string, caller: Caller): Admitted | Outcome {
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
      return this.#reply(record, caller, { id: '', model, modelVersion: null }, error);
    }
    if (request.id === '') request.id = recordId(record);
    if (request.model === '') request.model = model;
    if (request.model !== model)
      return this.#reply(record, caller, request, wrongTopic(request.model, model));
    return this.#admit(record, caller, request);
  }

  #admit(record: KafkaRecord, caller: Caller, request: InferenceRequest): Admitted | Outcome {
    try {
      const { model, modelVersion, parameters } = request;
      const version = this.catalog.resolve(model, modelVersion, parameters['signature']);
      const valid = validateRequest(request, version.signature);
      this.#refuseLate(request, version);
      return { request, caller, version, valid, deadline: request.deadline };
    } catch (cause) {
      return this.#reply(record, caller, request, PartituraError.from(cause));
    }
  }

  /** Refuses requests that are expired, or will be once the queue before them is done. */
  #refuseLate({ deadline }: InferenceRequest, { batcher }: ServedVersion): void {
    if (deadline === null) return;
    const leftMs = deadline - this.options.now();
    if (leftMs < 0)
      throw new PartituraError(
        'DEADLINE_EXCEEDED',
        `deadline passed ${-leftMs} ms before the request was read`,
      );
    const waitMs = Math.round(batcher.expectedWaitMs);
    if (waitMs > leftMs) {
      throw new PartituraError(
        'DEADLINE_EXCEEDED',
        `deadline in ${leftMs} ms, but the queue before the request takes about ${waitMs} ms`,
      );
    }
  }

  #tooLarge(record: KafkaRecord, value: Buffer, model: string, caller: Caller): Outcome {
    const message = `request: expected at most ${this.options.maxRecordBytes} bytes, got ${value.length}`;
    const error = new PartituraError('REQUEST_TOO_LARGE', message);
    return this.#deadLetter({ record, stage: 'validate', error }, model, caller);
  }

  #reply(
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

/** Returns the error for another model's topic, whether that model is served here or not: all nodes answer alike. */
function wrongTopic(asked: string, model: string): PartituraError {
  return new PartituraError(
    'MODEL_NOT_FOUND',
    `model: expected '${model}', whose topic this is, got '${asked}'`,
  );
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
