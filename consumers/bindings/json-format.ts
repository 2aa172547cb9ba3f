import { describe } from '../../schemas/describe.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { GUID_HEADER, ID_MARK, ID_PREFIX_BYTES } from '../../schemas/framing/confluent.js';
import { parseJson, utf8Text } from '../../schemas/json.js';
import { enrichedEnvelope, isConnectEnvelope, payloadOf, predictionEnvelope } from './connect-json.js';
import type { Fields } from './features.js';
import type { Format, Result, SourceRecord } from './format.js';
import { appended } from './json-text.js';
import type { Prediction, Predictions } from './predictions.js';

/** A source record from which JSON results are built. */
export interface JsonSource {
  readonly fields: Fields;
  readonly text: string;
  /** Schema id in front of the text, as Confluent's JSON Schema serializers write it; empty if there is none. */
  readonly frame: Buffer;
}

/** Writes the result for a record. */
export type JsonResults = (source: JsonSource, added: Predictions) => Result;

/** Reads JSON objects, including those of Confluent's JSON Schema serializers, which start with a schema id. */
export class JsonFormat implements Format {
  /** @param exact reads whole numbers beyond 2^53 exactly, which is slower */
  constructor(
    readonly results: JsonResults,
    readonly exact: boolean,
  ) {}

  lookUp(): undefined {
    return undefined;
  }

  read(value: Buffer): SourceRecord {
    const start = value[0] === ID_MARK ? ID_PREFIX_BYTES : 0;
    const text = utf8Text(value.subarray(start), 'value');
    const source = { fields: this.#fields(text), text, frame: value.subarray(0, start) };
    return { fields: source.fields, finite: true, result: (added) => this.results(source, added) };
  }

  #fields(text: string): Fields {
    const value = parseJson(text, this.exact, 'value');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
    throw new PartituraError('DECODE_FAILED', `value: expected a JSON object, got ${describe(value)}`);
  }

  close(): void {
    // Lookups do not occur.
  }
}

/**
 * Appends fields to the original text, which is kept to the last digit, and keeps its framing, so that readers of the
 * source can read the result. In Connect's envelope, the payload and its schema are extended.
 */
export function enrichedJson(predictions: readonly Prediction[]): JsonResults {
  return ({ fields, text, frame }, added) => {
    const isEnvelope = isConnectEnvelope(fields);
    refuseTaken(isEnvelope ? payloadOf(fields) : fields, added);
    const members = jsonText(added).slice(1, -1);
    const enriched = isEnvelope ? enrichedEnvelope(text, predictions, members) : appended(text, members);
    return { value: Buffer.concat([frame, Buffer.from(enriched)]), headers: {} };
  };
}

/** Writes predictions alone: in Connect's envelope if the original has one, else bare, because no schema of the source fits. */
export function predictionJson(predictions: readonly Prediction[]): JsonResults {
  return ({ fields }, added) => {
    const text = jsonText(added);
    const value = isConnectEnvelope(fields) ? predictionEnvelope(predictions, text) : text;
    return { value: Buffer.from(value), headers: { [GUID_HEADER]: undefined } };
  };
}

function refuseTaken(fields: Fields, added: Predictions): void {
  const taken = Object.keys(added).find((name) => Object.hasOwn(fields, name));
  if (taken === undefined) return;
  throw invalidRequest(
    `field '${taken}': expected a record without this field, which the binding adds, got one with it`,
  );
}

/** Formats a value; NaN and infinities become null. */
function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`,
  );
  return `{${members.join(',')}}`;
}
