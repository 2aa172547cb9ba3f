import { confluent } from './confluent.js';
import type { Framing, RecordHeaders } from './framing.js';
import { oipJson } from './oip-json.js';
import { singleObject } from './single-object.js';

/** In the order in which they are tried: earlier ones have the more specific marks. */
const FRAMINGS: readonly Framing[] = [confluent, singleObject, oipJson];

/** The framing of a record's value; undefined when it is in none that we know. */
export function detectFraming(value: Buffer, headers: RecordHeaders): Framing | undefined {
  return FRAMINGS.find((framing) => framing.detects(value, headers));
}

export { confluent } from './confluent.js';
export { headerBytes, headerText, type Framing, type RecordHeaders } from './framing.js';
export { acceptRequestSchema, decodeReply, encodeRequest, singleObject } from './single-object.js';
export { oipJson } from './oip-json.js';
