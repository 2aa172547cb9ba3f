import { z } from 'zod';
import { keysOf, type DeadLetterFilter } from '../../../operations/dead-letters/filter.js';
import { invalidRequest } from '../../../schemas/errors.js';
import type { DeadLetterSelection } from '../../api/views.js';

const name = z.string().min(1).max(1_024).optional();
const whole = z.int().min(0);
/** A whole number in a query. */
const digits = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number);

const selection = z.strictObject({
  topic: name,
  reason: name,
  stage: name,
  key: name,
  since: whole.optional(),
  until: whole.optional(),
  place: z.strictObject({ topic: z.string().min(1), partition: whole, offset: whole }).optional(),
});

/** Query of the list. */
export const ListQuery = selection.omit({ place: true }).extend({
  /** Includes replayed and dropped letters. */
  all: z.enum(['true', 'false']).default('false'),
  since: digits.optional(),
  until: digits.optional(),
  limit: z
    .string()
    .regex(/^([1-9]\d{0,2}|1000)$/, 'expected 1 to 1000')
    .default('100')
    .transform(Number),
});

/** Body of a replay or a drop. */
export const LetterCommand = selection.extend({ dryRun: z.boolean() });

export type ListQuery = z.output<typeof ListQuery>;
export type LetterCommand = z.output<typeof LetterCommand>;

/** Reads the parameters of the list. @throws PartituraError INVALID_REQUEST that names the parameter */
export function readListQuery(query: unknown): ListQuery {
  return read(ListQuery, query);
}

/** Reads the body of a replay or a drop. @throws PartituraError INVALID_REQUEST that names the field */
export function readCommand(body: unknown): LetterCommand {
  return read(LetterCommand, body);
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const [issue] = error.issues;
  throw invalidRequest(`${issue?.path.join('.') || 'body'}: ${issue?.message ?? ''}`);
}

/** Converts a selection to a filter of open letters. */
export function filterOf(
  { reason, stage, since, until, key, place }: DeadLetterSelection,
  all = false,
): DeadLetterFilter {
  return { reason, stage, since, until, place, all, keys: key === undefined ? undefined : keysOf(key) };
}
