import type { Schema } from 'avsc';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { EXACT } from '../../schemas/avro/external.js';
import { fullNameOf, holdsItself } from '../../schemas/avro/writer-schema.js';
import { PartituraError } from '../../schemas/errors.js';
import { GUID_HEADER, guidReplyLabel, idReplyLabel } from '../../schemas/framing/confluent.js';
import type { RegisteredSchema, SchemaRegistry } from '../../schemas/registry/client.js';
import type { FetchedSchema } from '../../schemas/registry/fetch-schema.js';
import type { Result } from './format.js';
import type { Prediction, Predictions } from './predictions.js';

/** Writes the result to a record whose Avro data these are. */
export type AvroWriter = (original: Buffer, added: Predictions) => Result;

/**
 * How to write results to records of a schema; registers what is needed for that.
 * @param byGuid whether the source names its schema by a GUID, so that results do as well, where there are any
 * @throws RegistryError; PartituraError INVALID_REQUEST when there can be none
 */
export type AvroResults = (source: FetchedSchema, byGuid: boolean) => Promise<AvroWriter>;

const NOTHING = Buffer.alloc(0);

/**
 * Originals with the predictions added. What an original holds is copied as it is, byte for byte: in Avro the fields of a
 * record stand one after the other, and those added come last.
 * @param subject what the schemas of results are registered under
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

/** Predictions alone, whose one schema is registered already. */
export function predictionAvro(
  registered: RegisteredSchema,
  predictions: readonly Prediction[],
): AvroResults {
  return (_source, byGuid) => Promise.resolve(predictionWriter(registered, predictions, byGuid));
}

/** The same for sources that have no Avro schema. */
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

/** A field as Avro writes it. */
interface SchemaField {
  readonly name: string;
  readonly type: unknown;
  readonly default: null;
}

/**
 * Predictions as fields of an Avro record. They may be null, with null as their default, so that a binding can gain
 * fields without breaking those who read its results.
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

/** The schema of results that have the predictions alone. @param binding its name becomes part of the schema's */
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
 * The source's schema with the predictions as its last fields. All else stays as it is, its name too: who reads with the
 * source's schema can read the results, and does not see what was added.
 * @throws PartituraError INVALID_REQUEST when the source has a field of such a name, or is no record
 */
export function enrichedSchema(source: Schema, predictions: readonly Prediction[]): Schema {
  const { type, fields = [] } = source as unknown as { type?: string; fields?: readonly { name: string }[] };
  if (type !== 'record')
    throw new PartituraError(
      'INVALID_REQUEST',
      `schema of the source: expected a record, got ${JSON.stringify(type ?? source)}`,
    );
  if (holdsItself(source))
    throw new PartituraError(
      'INVALID_REQUEST',
      `schema of the source: expected one that does not hold itself, got ${fullNameOf(source as object)}, whose inner records would be read as enriched ones; output.record: prediction takes it`,
    );
  const taken = predictions.find(({ name }) => fields.some((field) => field.name === name));
  if (taken)
    throw new PartituraError(
      'INVALID_REQUEST',
      `output.fields.${taken.name}: expected a name that the source does not have, got one of its fields`,
    );
  return { ...(source as object), fields: [...fields, ...predictionFields(predictions)] } as never;
}
