import { binaryCloudEvent, detectCloudEvent, structuredCloudEvent } from './cloud-events.js';
import { confluent } from './confluent.js';
import type { Framing, RecordHeaders } from './framing.js';
import { mlserverJson } from './mlserver.js';
import { oipJson } from './oip-json.js';
import { singleObject } from './single-object.js';

/** Framings in order of detection: those with more specific marks first. */
const FRAMINGS: readonly Framing[] = [
  confluent,
  singleObject,
  structuredCloudEvent,
  binaryCloudEvent,
  mlserverJson,
  oipJson,
];

/** Detects the framing of a record's value; undefined if there is none. */
export function detectFraming(value: Buffer, headers: RecordHeaders): Framing | undefined {
  return FRAMINGS.find((framing) => framing.detects(value, headers));
}

/** Selects the framing of an error reply to an unreadable record: the one its headers declare, otherwise Avro. */
export function fallbackFraming(headers: RecordHeaders): Framing {
  const isJson = oipJson.detects(Buffer.alloc(0), headers);
  return detectCloudEvent(headers) ?? (isJson ? oipJson : singleObject);
}

export { headerBytes, headerText, type Envelope, type Framing, type RecordHeaders } from './framing.js';
export { confluent } from './confluent.js';
export { acceptRequestSchema, decodeReply, encodeRequest, singleObject } from './single-object.js';
export { oipJson } from './oip-json.js';
export { BASE64_PARAMETERS } from './base64-content.js';
