import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { requestCodec } from '../../schemas/codecs.js';
import { GUID_HEADER, ID_MARK, ID_PREFIX_BYTES } from '../../schemas/framing/confluent.js';
import { confluent, detectFraming, headerText } from '../../schemas/framing/index.js';
import type { ReplySummary } from '../../schemas/framing/framing.js';
import { readReply } from '../../schemas/framing/read-reply.js';
import type { InferenceRequest } from '../../schemas/generated.js';

/** The id by which a record matched. */
export type MatchedBy = 'correlation id' | 'request id' | 'trace id';

const TRACE_ID = /^[0-9a-f]{32}$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HEX = /^(0x)?((?:[0-9a-f]{2})+)$/i;

/** An id to search for: a correlation id, request id or trace id. */
export class RequestId {
  /** Correlation ids are bytes: the text itself, or the bytes that it encodes as hexadecimal digits or a UUID. */
  readonly #correlations: readonly Buffer[];
  readonly #requestIds: ReadonlySet<string>;
  readonly #traceId: string | undefined;

  private constructor(
    correlations: readonly Buffer[],
    requestIds: ReadonlySet<string>,
    traceId: string | undefined,
  ) {
    this.#correlations = correlations;
    this.#requestIds = requestIds;
    this.#traceId = traceId;
  }

  static of(text: string): RequestId {
    const [, , digits] = HEX.exec(UUID.test(text) ? text.replaceAll('-', '') : text) ?? [];
    const bytes = digits === undefined ? [] : [Buffer.from(digits, 'hex')];
    const traceId = TRACE_ID.test(text) ? text.toLowerCase() : undefined;
    return new RequestId([Buffer.from(text), ...bytes], new Set([text]), traceId);
  }

  /**
   * Adds the ids by which replies to these requests match, which may differ from the given id: the correlation id, or the
   * request id if there is none. Request ids are not added otherwise, since several requests may share one.
   */
  with(requests: readonly { readonly record: KafkaRecord; readonly id: string | undefined }[]): RequestId {
    const correlations = requests.flatMap(({ record }) => correlationOf(record) ?? []);
    const ids = requests.flatMap(({ record, id }) => (correlationOf(record) ? [] : id || []));
    return new RequestId(
      [...this.#correlations, ...correlations],
      new Set([...this.#requestIds, ...ids]),
      this.#traceId,
    );
  }

  /** Returns true if one of these correlation ids is searched for. */
  isAmong(correlations: readonly string[]): boolean {
    const ids = correlations.map((correlation) => Buffer.from(correlation));
    return this.#correlations.some((wanted) => ids.some((id) => id.equals(wanted)));
  }

  /** @param id returns the id of the request that the record contains or answers; called only if nothing else matches */
  matches(record: KafkaRecord, id: () => string | undefined): MatchedBy | undefined {
    const correlation = correlationOf(record);
    if (correlation && this.#correlations.some((wanted) => wanted.equals(correlation)))
      return 'correlation id';
    if (this.#traceId !== undefined && traceIdOf(record) === this.#traceId) return 'trace id';
    const found = this.#mayContain(record) ? id() : undefined;
    return found !== undefined && this.#requestIds.has(found) ? 'request id' : undefined;
  }

  /** Returns true if the value, key or event id contains an id, so that decoding is worthwhile. */
  #mayContain({ value, key, headers }: KafkaRecord): boolean {
    const eventId = headerText(headers, 'ce_id') ?? '';
    return [...this.#requestIds].some(
      (id) => value?.includes(id) || key?.toString('utf8') === id || eventId === id,
    );
  }
}

/** Returns the bytes by which the sender of a record matches its reply. */
export function correlationOf({ headers }: KafkaRecord): Buffer | undefined {
  return detectDialect(headers).read(headers).correlation;
}

export function traceIdOf({ headers }: KafkaRecord): string | undefined {
  return headerText(headers, 'traceparent')?.split('-')[1]?.toLowerCase();
}

/** Decodes the request of a record if that needs no schema registry. */
export function requestIn({ value, key, headers }: KafkaRecord, model: string): InferenceRequest | undefined {
  try {
    const framing = value && detectFraming(value, headers);
    if (!value || !framing) return undefined;
    if (framing !== confluent) return framing.decodeRequest(value, model, { key, headers });
    const isLabelled = headers[GUID_HEADER] === undefined && value[0] === ID_MARK;
    return requestCodec.decode(value, isLabelled ? ID_PREFIX_BYTES : 0);
  } catch {
    return undefined;
  }
}

/** Decodes the reply of a record. */
export function replyIn({ value, headers }: KafkaRecord): ReplySummary | undefined {
  return value ? readReply(value, headers) : undefined;
}
