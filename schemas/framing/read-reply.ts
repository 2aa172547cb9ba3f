import { detectFraming, oipJson } from './index.js';
import type { RecordHeaders, ReplySummary } from './framing.js';

/** @returns undefined for anything that is not a reply, or an Avro reply of another version */
export function readReply(value: Buffer, headers: RecordHeaders): ReplySummary | undefined {
  try {
    return (detectFraming(value, headers) ?? oipJson).readReply(value, headers);
  } catch {
    return undefined;
  }
}
