import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { PartituraError } from '../../schemas/errors.js';
import { isModelName } from '../../schemas/model-name.js';

/**
 * A binding as its file says it: which fields of the records of a topic feed a model, and where its predictions go.
 * docs/BINDINGS.md describes it for users.
 */
const topicName = z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'expected the name of a topic');
const name = z.string().refine(isModelName, 'expected letters, digits, _ and -');
/** Of a field in a result: as Avro has it. */
export const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const whole = z.number().int();

const feature = z
  .strictObject({
    /** Of the record; parts of records within it are separated by dots. A name that has dots itself is found as it stands. */
    field: z.string().min(1),
    /** What the value is lessened by, before it is divided. */
    subtract: z.number().default(0),
    divide: z
      .number()
      .refine((value) => value !== 0, 'expected a number other than 0')
      .default(1),
    /** The values that the field may have, each of which becomes a 1 in its place among zeros. */
    oneHot: z.array(scalar).min(1).optional(),
    /** A number for each value that the field may have. */
    lookup: z.record(z.string(), z.number()).optional(),
    /** What takes the place of a value that is in neither: for `lookup` a number, for `oneHot` no 1 at all. */
    otherwise: z.union([z.number(), z.literal('zeros')]).optional(),
    /** Elements of an array. */
    length: whole.min(1).optional(),
    /** What takes the place of a field that is null or missing. */
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
  /** Of the model; may be left out where it has but one. */
  output: z.string().optional(),
  /** All of it, its largest element, where that is, or the element of this number. */
  take: z.union([z.enum(['all', 'max', 'argmax']), whole.min(0)]).default('all'),
  /** With `argmax`: what to say instead of the number. */
  labels: z.array(z.string()).min(1).optional(),
});

const definition = z
  .strictObject({
    name,
    source: z.strictObject({
      topic: topicName,
      format: z.enum(['avro', 'json']),
      /** Where to begin when it is applied for the first time. */
      from: z.enum(['earliest', 'latest']).default('earliest'),
    }),
    model: name,
    /** The newest one when left out. */
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
      /** As the source when left out. */
      format: z.enum(['avro', 'json']).optional(),
      /** The original with the fields added, or these alone. */
      record: z.enum(['enriched', 'prediction']).default('enriched'),
      /** By the names that they have in the result; all outputs by their own names when left out. */
      fields: z
        .record(z.string().regex(FIELD_NAME, 'expected a name of letters, digits and _'), prediction)
        .optional(),
    }),
    /** Where records go that can't be predicted; `<output topic>-dlt` when left out. */
    deadLetters: topicName.optional(),
    exactlyOnce: z.boolean().default(false),
  })
  .refine(
    ({ source, output }) => source.topic !== output.topic,
    'output.topic: expected another topic than source.topic',
  )
  .refine(
    ({ source, output }) => formatOf(source, output) === source.format || source.format === 'json',
    'output.format: expected avro, since the source is',
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
    'deadLetters: expected another topic than those of source and output',
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

/** What a binding's results are written in. */
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
 * Reads a binding's file.
 * @throws PartituraError INVALID_REQUEST that lists all that is wrong
 */
export function parseBinding(yaml: string): BindingDefinition {
  return checkBinding(parseYaml(yaml));
}

/** @throws PartituraError INVALID_REQUEST that lists all that is wrong */
export function checkBinding(value: unknown): BindingDefinition {
  const checked = definition.safeParse(value);
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new PartituraError('INVALID_REQUEST', `binding: ${problems.join('; ')}`);
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

/** Tells one content of a binding from another. */
export function revisionOf(binding: BindingDefinition): string {
  return createHash('sha256').update(JSON.stringify(binding)).digest('hex').slice(0, 8);
}
