import type { Schema } from 'avsc';
import { PartituraError } from '../../schemas/errors.js';
import type { Prediction } from './predictions.js';

/** A field as Avro writes it. */
interface SchemaField {
  readonly name: string;
  readonly type: unknown;
}

interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly fields: readonly SchemaField[];
}

/**
 * Predictions as fields of an Avro record. They may be null, with null as their default, so that a binding can gain
 * fields without breaking those who read its results.
 */
export function predictionFields(predictions: readonly Prediction[]): SchemaField[] {
  return predictions.map(({ name, type, depth }) => ({
    name,
    type: ['null', listed(type, depth)],
    default: null,
  }));
}

function listed(type: unknown, depth: number): unknown {
  return depth === 0 ? type : { type: 'array', items: listed(type, depth - 1) };
}

/** The schema of results that have the predictions alone. @param binding its name becomes part of the schema's */
export function predictionSchema(binding: string, predictions: readonly Prediction[]): Schema {
  return {
    type: 'record',
    name: 'Prediction',
    namespace: `partitura.bindings.${binding.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=[0-9])/, '_')}`,
    fields: predictionFields(predictions),
  } as never;
}

/**
 * The source's schema with the predictions as its last fields. All else stays as it is, its name too: who reads with the
 * source's schema can read the results, and does not see what was added.
 * @throws PartituraError INVALID_REQUEST when the source has a field of such a name, or is no record
 */
export function enrichedSchema(source: Schema, predictions: readonly Prediction[]): Schema {
  const { type, fields } = source as unknown as RecordSchema;
  if (type !== 'record')
    throw new PartituraError(
      'INVALID_REQUEST',
      `schema of the source: expected a record, got ${JSON.stringify(type ?? source)}`,
    );
  const taken = predictions.find(({ name }) => fields.some((field) => field.name === name));
  if (taken)
    throw new PartituraError(
      'INVALID_REQUEST',
      `output.fields.${taken.name}: expected a name that the source does not have, got one of its fields`,
    );
  return { ...(source as object), fields: [...fields, ...predictionFields(predictions)] } as never;
}
