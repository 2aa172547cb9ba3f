import { replyCodec } from '../codecs.js';
import type { InferenceReply } from '../generated.js';
import { readAnsweredBy } from './answered-by.js';
import { structuredCloudEvent } from './cloud-events.js';
import { GUID_HEADER, ID_MARK, ID_PREFIX_BYTES } from './confluent.js';
import { headerText, type RecordHeaders } from './framing.js';
import { parseBody } from './oip-json.js';
import { decodeReply, singleObject } from './single-object.js';

/** Content of a reply in any framing, without its tensors. */
export interface ReplySummary extends Pick<InferenceReply, 'id' | 'modelVersion' | 'node' | 'timing'> {
  /** As far as the framing carries it: JSON has only the message, and the code is in a header. */
  readonly error: { readonly code: string | undefined; readonly message: string } | null;
}

/** @returns undefined for anything that is not a reply, or an Avro reply of another version */
export function readReply(value: Buffer, headers: RecordHeaders): ReplySummary | undefined {
  try {
    if (singleObject.detects(value)) return decodeReply(value);
    if (headers[GUID_HEADER] !== undefined) return replyCodec.decode(value);
    if (value[0] === ID_MARK) return replyCodec.decode(value, ID_PREFIX_BYTES);
    return readJson(value, headers);
  } catch {
    return undefined;
  }
}

function readJson(value: Buffer, headers: RecordHeaders): ReplySummary {
  const event = parseBody(value);
  const isEvent = structuredCloudEvent.detects(value, headers);
  const body = (isEvent ? event['data'] : event) as Record<string, unknown>;
  const { id, model_version: version, error } = body;
  const code = headerText(headers, 'inference-error');
  return {
    id: text(id) ?? text(event['id']) ?? '',
    modelVersion: text(version) ?? null,
    error: typeof error === 'string' ? { code, message: error } : null,
    ...readAnsweredBy(headers),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
