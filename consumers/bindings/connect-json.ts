import type { Fields } from './features.js';
import { appended, memberSpans } from './json-text.js';
import type { ElementType, Prediction } from './predictions.js';

/**
 * The envelope of Kafka Connect's JsonConverter with `schemas.enable=true`, its default, which then reads nothing else: `{"schema": {"type": "struct", "fields": […]}, "payload": {…}}`, with nothing beside these two.
 */
const TYPES: Readonly<Record<ElementType, string>> = {
  boolean: 'boolean',
  int: 'int32',
  long: 'int64',
  float: 'float',
  double: 'double',
  string: 'string',
};

/** Returns true for such an envelope; its schema may be null. */
export function isConnectEnvelope(fields: Fields): boolean {
  const { schema, payload } = fields;
  const names = Object.keys(fields);
  if (names.length !== 2 || !isObject(payload) || !names.includes('schema')) return false;
  return (
    schema === null || (isObject(schema) && schema['type'] === 'struct' && Array.isArray(schema['fields']))
  );
}

/** Returns the fields of an envelope's payload. */
export function payloadOf({ payload }: Fields): Fields {
  return payload as Fields;
}

/** Returns the text of an envelope with fields added to its payload and, if present, its schema. */
export function enrichedEnvelope(text: string, predictions: readonly Prediction[], added: string): string {
  const changes = [...memberSpans(text)].map(([name, { start, end }]) => {
    const value = text.slice(start, end);
    if (name === 'payload') return { start, end, value: appended(value, added) };
    return { start, end, value: value === 'null' ? value : withSchemaFields(value, predictions) };
  });
  return changes
    .sort((one, other) => other.start - one.start)
    .reduce((whole, { start, end, value }) => whole.slice(0, start) + value + whole.slice(end), text);
}

/** Returns an envelope of predictions alone. */
export function predictionEnvelope(predictions: readonly Prediction[], payload: string): string {
  const schema = { type: 'struct', optional: false, fields: predictions.map(schemaField) };
  return `{"schema":${JSON.stringify(schema)},"payload":${payload}}`;
}

function withSchemaFields(schema: string, predictions: readonly Prediction[]): string {
  const span = memberSpans(schema).get('fields');
  if (!span) return schema;
  const added = predictions.map((prediction) => JSON.stringify(schemaField(prediction))).join(',');
  return (
    schema.slice(0, span.start) + appended(schema.slice(span.start, span.end), added) + schema.slice(span.end)
  );
}

/** Declares predictions as optional: JSON has neither NaN nor infinities. */
function schemaField({ name, type, depth }: Prediction): object {
  return { field: name, ...listed({ type: TYPES[type], optional: true }, depth) };
}

function listed(type: object, depth: number): object {
  return depth === 0 ? type : { type: 'array', optional: true, items: listed(type, depth - 1) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
