import { describe } from '../../schemas/describe.js';
import { PartituraError } from '../../schemas/errors.js';
import { GUID_HEADER, ID_MARK, ID_PREFIX_BYTES } from '../../schemas/framing/confluent.js';
import { parseJson, utf8Text } from '../../schemas/json.js';
import type { Fields } from './features.js';
import type { Format, Result, SourceRecord } from './format.js';
import type { Predictions } from './predictions.js';

/** Writes the result to a record of these fields and this text. */
export type JsonResults = (fields: Fields, text: string, added: Predictions) => Result;

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
    const fields = this.#fields(text);
    return { fields, finite: true, result: (added) => this.results(fields, text, added) };
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

/** The original text with more at its end: what it says stays as it is, to the last digit. */
export const enrichedJson: JsonResults = (fields, text, added) => {
  const taken = Object.keys(added).find((name) => Object.hasOwn(fields, name));
  if (taken !== undefined)
    throw new PartituraError(
      'INVALID_REQUEST',
      `field '${taken}': expected a record without it, since the binding adds it, got one that has it`,
    );
  const open = text.slice(0, text.lastIndexOf('}'));
  const separator = Object.keys(fields).length === 0 ? '' : ',';
  return jsonResult(`${open}${separator}${jsonText(added).slice(1)}`);
};

export const predictionJson: JsonResults = (_fields, _text, added) => jsonResult(jsonText(added));

function jsonResult(text: string): Result {
  return { value: Buffer.from(text), headers: { [GUID_HEADER]: undefined } };
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
