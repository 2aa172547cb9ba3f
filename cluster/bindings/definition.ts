import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { isModelName } from '../../schemas/model-name.js';

/**
 * A binding as defined in its file: the fields of a topic's records that feed a model, and the destination of its
 * predictions. See docs/BINDINGS.md for the user documentation.
 */
const topicName = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'expected the name of a topic');
const name = z.string().refine(isModelName, 'expected letters, digits, _ and -');
/** Name of a field in a result, following Avro's rules. */
export const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const whole = z.number().int();

const feature = z
  .strictObject({
    /**
     * Field of the record; nested fields are separated by dots. A name that contains dots is tried as a whole first.
     */
    field: z.string().min(1),
    /** Subtracted from the value before the division. */
    subtract: z.number().default(0),
    divide: z
      .number()
      .refine((value) => value !== 0, 'expected a number other than 0')
      .default(1),
    /** Possible values of the field; the value's position becomes 1, all others 0. */
    oneHot: z.array(scalar).min(1).optional(),
    /** Maps each possible value of the field to a number. */
    lookup: z.record(z.string(), z.number()).optional(),
    /** Replacement for an unlisted value: a number with `lookup`, all zeros with `oneHot`. */
    otherwise: z.union([z.number(), z.literal('zeros')]).optional(),
    /** Number of elements of an array field. */
    length: whole.min(1).optional(),
    /** Replacement for a field that is null or missing. */
    default: scalar.optional(),
  })
  .refine(
    ({ oneHot, lookup }) => oneHot === undefined || lookup === undefined,
    'expected oneHot or lookup, got both',
  )
  .refine(
    ({ oneHot, lookup, otherwise }) =>
      otherwise === undefined ||
      (oneHot !== undefined && otherwise === 'zeros') ||
      (lookup !== undefined && typeof otherwise === 'number'),
    'otherwise: expected a number with lookup, or zeros with oneHot',
  );

const prediction = z.strictObject({
  /** Output of the model; optional if the model has only one. */
  output: z.string().optional(),
  /** The whole output, its maximum, the index of the maximum, or the element at this index. */
  take: z.union([z.enum(['all', 'max', 'argmax']), whole.min(0)]).default('all'),
  /** With `argmax`: labels to write instead of the index. */
  labels: z.array(z.string()).min(1).optional(),
});

const definition = z
  .strictObject({
    name,
    source: z.strictObject({
      topic: topicName,
      format: z.enum(['avro', 'json']),
      /** Start position when the binding is applied for the first time. */
      from: z.enum(['earliest', 'latest']).default('earliest'),
    }),
    model: name,
    /** Default: the latest version. */
    version: z.coerce.string().optional(),
    inputs: z.record(
      z.string(),
      z
        .array(
          z.union([
            z
              .string()
              .min(1)
              .transform((field) => feature.parse({ field })),
            feature,
          ]),
        )
        .min(1),
    ),
    output: z.strictObject({
      topic: topicName,
      /** Default: the format of the source. */
      format: z.enum(['avro', 'json']).optional(),
      /** The source record with the fields added, or the fields alone. */
      record: z.enum(['enriched', 'prediction']).default('enriched'),
      /** Result fields by name. Default: all outputs under their own names. */
      fields: z
        .record(z.string().regex(FIELD_NAME, 'expected a name of letters, digits and _'), prediction)
        .optional(),
    }),
    /** Topic for records that cannot be predicted. Default: `<output topic>-dlt`. */
    deadLetters: topicName.optional(),
    exactlyOnce: z.boolean().default(false),
  })
  .refine(
    ({ source, output }) => source.topic !== output.topic,
    'output.topic: expected a topic different from source.topic',
  )
  .refine(
    ({ source, output }) => formatOf(source, output) === source.format || source.format === 'json',
    'output.format: expected avro, like the source',
  )
  .refine(
    ({ source, output }) => formatOf(source, output) === source.format || output.record === 'prediction',
    'output.record: expected prediction, since the formats of source and output differ',
  )
  .refine(
    ({ output: { fields = {} } }) =>
      Object.values(fields).every(({ take, labels }) => labels === undefined || take === 'argmax'),
    'output.fields: expected labels only with take: argmax',
  )
  .refine(
    ({ source, output, deadLetters }) =>
      ![source.topic, output.topic].includes(deadLetterTopic({ output, deadLetters })),
    'deadLetters: expected a topic different from source and output',
  );

export type BindingDefinition = z.output<typeof definition>;
export type Feature = z.output<typeof feature>;
export type PredictionField = z.output<typeof prediction>;
export type RecordFormat = 'avro' | 'json';

function formatOf(
  source: { format: RecordFormat },
  output: { format?: RecordFormat | undefined },
): RecordFormat {
  return output.format ?? source.format;
}

/** Returns the format of a binding's results. */
export function outputFormat({ source, output }: BindingDefinition): RecordFormat {
  return formatOf(source, output);
}

export function deadLetterTopic({
  deadLetters,
  output,
}: {
  readonly deadLetters?: string | undefined;
  readonly output: { readonly topic: string };
}): string {
  return deadLetters ?? `${output.topic}-dlt`;
}

/**
 * Parses a binding file.
 * @throws PartituraError INVALID_REQUEST that lists every problem
 */
export function parseBinding(yaml: string): BindingDefinition {
  return checkBinding(parseYaml(yaml));
}

/** @throws PartituraError INVALID_REQUEST that lists every problem */
export function checkBinding(value: unknown): BindingDefinition {
  const checked = definition.safeParse(value);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw invalidRequest(`binding: ${problems.join('; ')}`);
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new PartituraError('INVALID_REQUEST', `binding: expected YAML: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Returns a hash that identifies the content of a binding. */
export function revisionOf(binding: BindingDefinition): string {
  return createHash('sha256').update(JSON.stringify(binding)).digest('hex').slice(0, 8);
}
