import { outputFormat, type BindingDefinition } from '../../cluster/bindings/definition.js';
import type { Logger } from '../../core/log.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { RegisteredSchema, SchemaRegistry } from '../../schemas/registry/client.js';
import type { ModelSignature } from '../engine/engine.js';
import { AvroFormat } from './avro-format.js';
import { enrichedAvro, predictionAvro, predictionSchema, predictionWriter } from './avro-results.js';
import type { Format } from './format.js';
import { JsonFormat, enrichedJson, predictionJson } from './json-format.js';
import type { Prediction } from './predictions.js';

interface FormatParts {
  /** Undefined without a schema registry. */
  readonly registry: SchemaRegistry | undefined;
  readonly log: Logger;
}

const NOTHING = Buffer.alloc(0);

/** A binding with the predictions that it adds, and the model's signature. */
export interface FormatSpec {
  readonly definition: BindingDefinition;
  readonly predictions: readonly Prediction[];
  readonly signature: ModelSignature;
}

/**
 * Creates the reader of a binding's records and the writer of its results; registers the schemas of results.
 * @param onProblem called for a record to which no result can be written
 * @throws Error if results cannot be written
 */
export async function createFormat(
  spec: FormatSpec,
  parts: FormatParts,
  onProblem: (error: Error) => void,
): Promise<Format> {
  return spec.definition.source.format === 'avro'
    ? avroFormat(spec, parts, onProblem)
    : jsonFormat(spec, parts.registry);
}

async function avroFormat(
  { definition, predictions }: FormatSpec,
  parts: FormatParts,
  onProblem: (error: Error) => void,
): Promise<Format> {
  const registry = needed(parts.registry);
  const results = isEnriched(definition)
    ? enrichedAvro(registry, subjectOf(definition), predictions)
    : predictionAvro(await registered(definition, predictions, registry), predictions);
  const onAway = (err: Error): void =>
    parts.log.warn(
      { err, binding: definition.name },
      'schema registry unavailable, retrying; the binding waits',
    );
  const subject = `${definition.source.topic}-value`;
  const format = new AvroFormat(registry, results, { subject, onAway, onProblem });
  await format.prepare();
  return format;
}

async function jsonFormat(
  { definition, predictions, signature }: FormatSpec,
  registry: SchemaRegistry | undefined,
): Promise<Format> {
  const isExact = signature.inputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64');
  if (outputFormat(definition) === 'json')
    return new JsonFormat((isEnriched(definition) ? enrichedJson : predictionJson)(predictions), isExact);
  const schema = await registered(definition, predictions, needed(registry));
  const write = predictionWriter(schema, predictions, false);
  return new JsonFormat((_source, added) => write(NOTHING, added), isExact);
}

function isEnriched({ output }: BindingDefinition): boolean {
  return output.record === 'enriched';
}

function subjectOf({ output }: BindingDefinition): string {
  return `${output.topic}-value`;
}

function registered(
  definition: BindingDefinition,
  predictions: readonly Prediction[],
  registry: SchemaRegistry,
): Promise<RegisteredSchema> {
  return registry.register(subjectOf(definition), predictionSchema(definition.name, predictions));
}

function needed(registry: SchemaRegistry | undefined): SchemaRegistry {
  if (registry) return registry;
  throw invalidRequest(
    'format: expected nodes with a schema registry (SCHEMA_REGISTRY_URL) for avro, got none',
  );
}
