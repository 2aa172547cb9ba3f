import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { requestCodec } from '../../schemas/codecs.js';
import { GUID_HEADER, ID_MARK, ID_PREFIX_BYTES } from '../../schemas/framing/confluent.js';
import { confluent, detectFraming, headerText } from '../../schemas/framing/index.js';
import { readReply, type ReplySummary } from '../../schemas/framing/read-reply.js';
import type { InferenceRequest } from '../../schemas/generated.js';

/** How a record was recognised. */
export type MatchedBy = 'correlation id' | 'request id' | 'trace id';

const TRACE_ID = /^[0-9a-f]{32}$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HEX = /^(0x)?((?:[0-9a-f]{2})+)$/i;

/** An id that somebody has at hand: of a correlation, a request or a trace. */
export class RequestId {
  /** Correlation ids are bytes: the text, or what it spells in hexadecimal digits, as a UUID is printed. */
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
   * The same with what the replies to these requests are recognised by, which need not be the id that was asked for: the
   * correlation id, or the request's own where there is none. The latter alone may be that of many.
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

  /** @param id of the request that the record is or answers, read only when nothing else matches */
  matches(record: KafkaRecord, id: () => string | undefined): MatchedBy | undefined {
    const correlation = correlationOf(record);
    if (correlation && this.#correlations.some((wanted) => wanted.equals(correlation)))
      return 'correlation id';
    if (this.#traceId !== undefined && traceIdOf(record) === this.#traceId) return 'trace id';
    const found = this.#mayName(record) ? id() : undefined;
    return found !== undefined && this.#requestIds.has(found) ? 'request id' : undefined;
  }

  /** Values are decoded only where an id is in them, or in what stands beside them. */
  #mayName({ value, key, headers }: KafkaRecord): boolean {
    const eventId = headerText(headers, 'ce_id') ?? '';
    return [...this.#requestIds].some(
      (id) => value?.includes(id) || key?.toString('utf8') === id || eventId === id,
    );
  }
}

/** The bytes by which the sender of a record recognises its reply. */
export function correlationOf({ headers }: KafkaRecord): Buffer | undefined {
  return detectDialect(headers).read(headers).correlation;
}

export function traceIdOf({ headers }: KafkaRecord): string | undefined {
  return headerText(headers, 'traceparent')?.split('-')[1]?.toLowerCase();
}

/** The request in a record, where it can be read without a schema registry. */
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

/** The reply in a record. */
export function replyIn({ value, headers }: KafkaRecord): ReplySummary | undefined {
  return value ? readReply(value, headers) : undefined;
}
