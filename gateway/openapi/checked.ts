import type { z } from 'zod';
import { invalidRequest } from '../../schemas/errors.js';

/** Checks a value by its schema. @throws PartituraError INVALID_REQUEST that begins with `what` and names the field */
export function checked<T extends z.ZodType>(schema: T, value: unknown, what: string): z.output<T> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const [issue] = error.issues;
  const where = issue?.path.length ? `, ${issue.path.join('.')}` : '';
  throw invalidRequest(`${what}${where}: ${issue?.message}`);
}
