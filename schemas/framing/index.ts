import { binaryCloudEvent, detectCloudEvent, structuredCloudEvent } from './cloud-events.js';
import { confluent } from './confluent.js';
import type { Framing, RecordHeaders } from './framing.js';
import { mlserverJson } from './mlserver.js';
import { oipJson } from './oip-json.js';
import { singleObject } from './single-object.js';

/** In the order in which they are tried: earlier ones have the more specific marks. */
const FRAMINGS: readonly Framing[] = [
  confluent,
  singleObject,
  structuredCloudEvent,
  binaryCloudEvent,
  mlserverJson,
  oipJson,
];

/** The framing of a record's value; undefined when it is in none that we know. */
export function detectFraming(value: Buffer, headers: RecordHeaders): Framing | undefined {
  return FRAMINGS.find((framing) => framing.detects(value, headers));
}

/** The framing of an error reply to what is in none: whatever its headers say that it should have been, else Avro. */
export function fallbackFraming(headers: RecordHeaders): Framing {
  const isJson = oipJson.detects(Buffer.alloc(0), headers);
  return detectCloudEvent(headers) ?? (isJson ? oipJson : singleObject);
}

export { headerBytes, headerText, type Envelope, type Framing, type RecordHeaders } from './framing.js';
export { confluent } from './confluent.js';
export { acceptRequestSchema, decodeReply, encodeRequest, singleObject } from './single-object.js';
export { oipJson } from './oip-json.js';
export { BASE64_PARAMETERS } from './base64-content.js';
