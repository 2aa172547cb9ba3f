import { describe } from '../../schemas/describe.js';
import { PartituraError } from '../../schemas/errors.js';
import { GUID_HEADER, ID_MARK, ID_PREFIX_BYTES } from '../../schemas/framing/confluent.js';
import { parseJson, utf8Text } from '../../schemas/json.js';
import { enrichedEnvelope, isConnectEnvelope, payloadOf, predictionEnvelope } from './connect-json.js';
import type { Fields } from './features.js';
import type { Format, Result, SourceRecord } from './format.js';
import { appended } from './json-text.js';
import type { Prediction, Predictions } from './predictions.js';

/** A record as JSON results are made of it. */
export interface JsonSource {
  readonly fields: Fields;
  readonly text: string;
  /** The id of a schema before the text, as Confluent's serializers of JSON Schema write it; empty where there is none. */
  readonly frame: Buffer;
}

/** Writes the result to a record. */
export type JsonResults = (source: JsonSource, added: Predictions) => Result;

/** JSON objects, also such as Confluent's serializers of JSON Schema write: with a schema's id before them. */
export class JsonFormat implements Format {
  /** @param exact whether whole numbers beyond 2^53 are read exactly, which takes longer */
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
    // Nothing is ever under way.
  }
}

/**
 * The original text with more at its end: what it says stays as it is, to the last digit. It has the frame of the original,
 * too, so that whoever reads the source can read it; of Connect's envelope the payload and its schema grow.
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

/** Predictions alone: in Connect's envelope where the original is in one, else bare, since no schema of the source's fits them. */
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
  throw new PartituraError(
    'INVALID_REQUEST',
    `field '${taken}': expected a record without it, since the binding adds it, got one that has it`,
  );
}

/** Numbers that JSON has not, NaN and the infinities, become null. */
function jsonText(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`,
  );
  return `{${members.join(',')}}`;
}
