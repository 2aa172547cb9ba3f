import { PartituraError, invalidRequest } from '../errors.js';
import type { InferenceReply, InferenceRequest } from '../generated.js';
import { answeredBy } from './answered-by.js';
import { headerText, type Framing, type RecordHeaders } from './framing.js';
import { readJsonReply } from './json-reply.js';
import { isJsonType, mediaType } from './media-type.js';
import { object, oipJson, parseBody, readRequest, writeReply } from './oip-json.js';

/**
 * CloudEvents whose data is an Open Inference Protocol body, in both modes of the Kafka binding.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 */
const STRUCTURED = 'application/cloudevents+json';
const JSON_DATA = 'application/json';
const SPEC_VERSION = '1.0';
/** Event type of KServe's model responses. */
const RESPONSE_TYPE = 'io.kserve.inference.response';
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;

/** Structured mode: the event is the record's value. */
export const structuredCloudEvent: Framing = {
  name: 'cloudevents-structured',
  headers: { 'content-type': STRUCTURED },
  headersOf: answeredBy,

  detects: (_value, headers) => mediaType(headerText(headers, 'content-type')) === STRUCTURED,

  decodeRequest(value, model) {
    const event = parseBody(value);
    const id = eventId((name) => event[name]);
    return withId(readRequest(dataOf(event), model), id);
  },

  encodeReply(reply) {
    const head = JSON.stringify({ ...attributes(reply), datacontenttype: JSON_DATA });
    return Buffer.from(`${head.slice(0, -1)},"data":${writeReply(reply)}}`);
  },

  readReply(value, headers) {
    const { id, data } = parseBody(value);
    return readJsonReply(object(data, 'data'), headers, id);
  },
};

/** Binary mode: the event's attributes are headers, its data is the record's value. */
export const binaryCloudEvent: Framing = {
  name: 'cloudevents-binary',
  headers: { 'content-type': JSON_DATA },

  headersOf: (reply) => ({
    ...Object.fromEntries(Object.entries(attributes(reply)).map(([name, value]) => [`ce_${name}`, value])),
    ...answeredBy(reply),
  }),

  detects: (_value, headers) => REQUIRED.some((name) => headers[`ce_${name}`] !== undefined),

  decodeRequest(value, model, { headers }) {
    const id = eventId((name) => headerText(headers, `ce_${name}`));
    requireJson(headerText(headers, 'content-type'));
    return withId(readRequest(parseBody(value), model), id);
  },

  encodeReply: (reply) => Buffer.from(writeReply(reply)),

  readReply: (value, headers) => oipJson.readReply(value, headers),
};

/** Detects an event in either mode by its headers, for replies to unreadable events. */
export function detectCloudEvent(headers: RecordHeaders): Framing | undefined {
  const nothing = Buffer.alloc(0);
  return [structuredCloudEvent, binaryCloudEvent].find((framing) => framing.detects(nothing, headers));
}

function attributes({ id, model }: InferenceReply): Record<(typeof REQUIRED)[number], string> {
  return { specversion: SPEC_VERSION, id, source: `/partitura/models/${model}`, type: RESPONSE_TYPE };
}

/** @throws PartituraError INVALID_REQUEST if a mandatory attribute is missing */
function eventId(attribute: (name: string) => unknown): string {
  const [version, id] = REQUIRED.map((name) => {
    const value = attribute(name);
    if (typeof value === 'string' && value !== '') return value;
    throw invalidRequest(`cloud event: expected the attribute '${name}', got none`);
  });
  if (version === SPEC_VERSION && id !== undefined) return id;
  throw invalidRequest(`cloud event: expected specversion ${SPEC_VERSION}, got '${version}'`);
}

function dataOf(event: Record<string, unknown>): Record<string, unknown> {
  const { datacontenttype, data, data_base64: encoded } = event;
  requireJson(typeof datacontenttype === 'string' ? datacontenttype : undefined);
  return typeof encoded === 'string' ? parseBody(Buffer.from(encoded, 'base64')) : object(data, 'data');
}

function requireJson(contentType: string | undefined): void {
  const type = mediaType(contentType);
  if (type === undefined || isJsonType(type)) return;
  throw new PartituraError('DECODE_FAILED', `cloud event: expected data in ${JSON_DATA}, got '${type}'`);
}

/** Sets the request id to the event's id, unless the body has its own. */
function withId(request: InferenceRequest, id: string): InferenceRequest {
  if (request.id === '') request.id = id;
  return request;
}
