import { z } from 'zod';
import { keysOf, type DeadLetterFilter } from '../../../operations/dead-letters/filter.js';
import { PartituraError } from '../../../schemas/errors.js';
import type { DeadLetterSelection } from '../../api/views.js';

const name = z.string().min(1).max(1_024).optional();
const time = z.coerce.number().int().min(0).optional();
const offset = z.number().int().min(0);

const selection = z.strictObject({
  topic: name,
  reason: name,
  stage: name,
  key: name,
  since: time,
  until: time,
  place: z.strictObject({ topic: z.string().min(1), partition: offset, offset }).optional(),
});

const MAX_LISTED = 1_000;
const listQuery = selection.omit({ place: true }).extend({
  /** Includes replayed and dropped letters. */
  all: z.enum(['true', 'false']).default('false'),
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(100),
});

const command = selection.extend({ dryRun: z.boolean() });

export type ListQuery = z.output<typeof listQuery>;
export type LetterCommand = z.output<typeof command>;

/** Reads the parameters of the list. @throws PartituraError INVALID_REQUEST that names the parameter */
export function readListQuery(query: unknown): ListQuery {
  return read(listQuery, query);
}

/** Reads the body of a replay or a drop. @throws PartituraError INVALID_REQUEST that names the field */
export function readCommand(body: unknown): LetterCommand {
  return read(command, body);
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const [issue] = error.issues;
  throw new PartituraError('INVALID_REQUEST', `${issue?.path.join('.') || 'body'}: ${issue?.message ?? ''}`);
}

/** Converts a selection to a filter of open letters. */
export function filterOf(
  { reason, stage, since, until, key, place }: DeadLetterSelection,
  all = false,
): DeadLetterFilter {
  return { reason, stage, since, until, place, all, keys: key === undefined ? undefined : keysOf(key) };
}
