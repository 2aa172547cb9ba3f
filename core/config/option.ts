/** Building blocks of the option table: one option, and the checks that several options share. */
import { z } from 'zod';
import { urlsIn } from '../../schemas/registry/client.js';
import { formatAddress, mustParseAddress, parseAddress } from '../address.js';

export interface Option<S extends z.ZodType = z.ZodType> {
  readonly env: string;
  readonly check: S;
  readonly fallback?: string | number | boolean;
  readonly doc: string;
  /** True for values that are never logged. */
  readonly secret?: boolean;
}

/** Defines an option. @param fallback its default; undefined where the option may stay unset */
export const option = <S extends z.ZodType>(
  env: string,
  check: S,
  fallback: Option['fallback'],
  doc: string,
): Option<S> => (fallback === undefined ? { env, check, doc } : { env, check, fallback, doc });

export const secret = <S extends z.ZodType>(env: string, check: S, doc: string): Option<S> => ({
  env,
  check,
  doc,
  secret: true,
});

export const text = z.string().min(1);
export const optionalText = z.string().optional();
export const number = z.coerce.number({ error: 'expected a number' });
export const port = number.int().min(0).max(65_535);
export const count = number.int().min(1);
export const amount = number.int().min(0);
export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')]);

/** A comma-separated list. */
export const list = z
  .union([z.array(text), z.string()])
  .transform((value) => (Array.isArray(value) ? value : value.split(',').map((part) => part.trim())))
  .transform((parts) => parts.filter((part) => part !== ''));

/** A comma-separated list of at least one broker address. */
export const addresses = list.transform((parts, context) => {
  const wrong = parts.find((part) => parseAddress(part) === undefined);
  if (wrong === undefined && parts.length > 0)
    return parts.map((part) => formatAddress(mustParseAddress(part)));
  const got = wrong === undefined ? 'an empty list' : `'${wrong}'`;
  context.addIssue(`expected host:port addresses, IPv6 hosts in brackets; got ${got}`);
  return z.NEVER;
});

const url = z.url({ protocol: /^https?$/ });

/** A comma-separated list of HTTP addresses, or unset. */
export const optionalUrls = z
  .string()
  .refine((value) => urlsIn(value).length > 0 && urlsIn(value).every((part) => url.safeParse(part).success), {
    error: 'expected http:// or https:// addresses separated by commas',
  })
  .optional();
