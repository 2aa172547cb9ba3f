import type { Schema } from 'avsc';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { EXACT } from '../../schemas/avro/external.js';
import { fullNameOf, holdsItself } from '../../schemas/avro/writer-schema.js';
import { invalidRequest } from '../../schemas/errors.js';
import { GUID_HEADER, guidReplyLabel, idReplyLabel } from '../../schemas/framing/confluent.js';
import type { RegisteredSchema, SchemaRegistry } from '../../schemas/registry/client.js';
import type { FetchedSchema } from '../../schemas/registry/fetch-schema.js';
import type { Result } from './format.js';
import type { Prediction, Predictions } from './predictions.js';

/** Writes the result for a record, given its Avro data. */
export type AvroWriter = (original: Buffer, added: Predictions) => Result;

/**
 * Creates the writer of results for records of a schema, and registers the schema of results.
 * @param byGuid true if the source names its schema by GUID, so that results do as well if the registry has GUIDs
 * @throws RegistryError; PartituraError INVALID_REQUEST if there can be no results
 */
export type AvroResults = (source: FetchedSchema, byGuid: boolean) => Promise<AvroWriter>;

const NOTHING = Buffer.alloc(0);

/**
 * Writes originals with predictions added. An original is copied byte for byte: Avro encodes the fields of a record one
 * after the other, and the added ones come last.
 * @param subject of the schemas of results
 */
export function enrichedAvro(
  registry: SchemaRegistry,
  subject: string,
  predictions: readonly Prediction[],
): AvroResults {
  const added = addedFields(predictions);
  return async ({ schema, references }, byGuid) => {
    const registered = await registry.register(subject, enrichedSchema(schema, predictions), references);
    return (original, values) => labelled(labelOf(registered, byGuid), original, added, values);
  };
}

/** Writes predictions alone, whose schema is registered already. */
export function predictionAvro(
  registered: RegisteredSchema,
  predictions: readonly Prediction[],
): AvroResults {
  return (_source, byGuid) => Promise.resolve(predictionWriter(registered, predictions, byGuid));
}

/** Writes predictions alone for sources without an Avro schema. */
export function predictionWriter(
  registered: RegisteredSchema,
  predictions: readonly Prediction[],
  byGuid: boolean,
): AvroWriter {
  const added = addedFields(predictions);
  return (_original, values) => labelled(labelOf(registered, byGuid), NOTHING, added, values);
}

function addedFields(predictions: readonly Prediction[]): AvroCodec<Predictions> {
  return new AvroCodec(predictionSchema('added', predictions), [], EXACT);
}

type Label = ReturnType<typeof idReplyLabel>;

function labelOf({ id, guid }: RegisteredSchema, byGuid: boolean): Label {
  return byGuid && guid ? guidReplyLabel(guid) : idReplyLabel(id);
}

function labelled(label: Label, before: Buffer, codec: AvroCodec<Predictions>, values: Predictions): Result {
  const value = codec.encode(values, Buffer.concat([label.prefix, before]));
  return { value, headers: { [GUID_HEADER]: undefined, ...(label.headers as Record<string, Buffer>) } };
}

/** A field of an Avro schema. */
interface SchemaField {
  readonly name: string;
  readonly type: unknown;
  readonly default: null;
}

/**
 * Returns predictions as fields of an Avro record. They are nullable with null as default, so that a binding can gain
 * fields without breaking readers of its results.
 */
function predictionFields(predictions: readonly Prediction[]): SchemaField[] {
  return predictions.map(({ name, type, depth }) => ({
    name,
    type: ['null', listed(type, depth)],
    default: null,
  }));
}

function listed(type: unknown, depth: number): unknown {
  return depth === 0 ? type : { type: 'array', items: listed(type, depth - 1) };
}

/** Returns the schema of results that hold predictions alone. @param binding becomes part of the schema's name */
export function predictionSchema(binding: string, predictions: readonly Prediction[]): Schema {
  const name = binding.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=[0-9])/, '_');
  return {
    type: 'record',
    name: 'Prediction',
    namespace: `partitura.bindings.${name}`,
    fields: predictionFields(predictions),
  } as never;
}

/**
 * Returns the source's schema with the predictions as its last fields. Everything else is unchanged, including the name:
 * readers with the source's schema can read the results without the added fields.
 * @throws PartituraError INVALID_REQUEST if the source has a field of such a name, or is not a record
 */
export function enrichedSchema(source: Schema, predictions: readonly Prediction[]): Schema {
  const { type, fields = [] } = source as unknown as { type?: string; fields?: readonly { name: string }[] };
  if (type !== 'record')
    throw invalidRequest(`schema of the source: expected a record, got ${JSON.stringify(type ?? source)}`);
  if (holdsItself(source))
    throw invalidRequest(
      `schema of the source: expected one that is not recursive, got ${fullNameOf(source as object)}, whose inner records would be read as enriched ones; use output.record: prediction`,
    );
  const taken = predictions.find(({ name }) => fields.some((field) => field.name === name));
  if (taken)
    throw invalidRequest(
      `output.fields.${taken.name}: expected a name that is not a field of the source, got one of its fields`,
    );
  return { ...(source as object), fields: [...fields, ...predictionFields(predictions)] } as never;
}
