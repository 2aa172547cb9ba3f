import { outputFormat, type BindingDefinition } from '../../cluster/bindings/definition.js';
import type { Logger } from '../../core/log.js';
import { PartituraError } from '../../schemas/errors.js';
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

/**
 * How a binding's records are read and its results written; registers the schemas of results as far as they are known.
 * @param onProblem called when a record comes to which there can be no result
 * @throws Error when results can't be written
 */
export async function createFormat(
  definition: BindingDefinition,
  predictions: readonly Prediction[],
  signature: ModelSignature,
  parts: FormatParts,
  onProblem: (error: Error) => void,
): Promise<Format> {
  const { source, output } = definition;
  const isEnriched = output.record === 'enriched';
  if (source.format === 'avro') {
    const registry = needed(parts.registry);
    const results = isEnriched
      ? enrichedAvro(registry, subjectOf(definition), predictions)
      : predictionAvro(await registered(definition, predictions, registry), predictions);
    const onAway = (err: Error): void =>
      parts.log.warn(
        { err, binding: definition.name },
        'the schema registry is away and asked again; the binding waits',
      );
    const subject = `${source.topic}-value`;
    const format = new AvroFormat(registry, results, { subject, onAway, onProblem });
    await format.prepare();
    return format;
  }
  const isExact = signature.inputs.some(({ datatype }) => datatype === 'INT64' || datatype === 'UINT64');
  if (outputFormat(definition) === 'json')
    return new JsonFormat((isEnriched ? enrichedJson : predictionJson)(predictions), isExact);
  const schema = await registered(definition, predictions, needed(parts.registry));
  const write = predictionWriter(schema, predictions, false);
  return new JsonFormat((_source, added) => write(NOTHING, added), isExact);
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
  throw new PartituraError(
    'INVALID_REQUEST',
    'format avro: expected nodes that know a schema registry, by SCHEMA_REGISTRY_URL, got none',
  );
}
