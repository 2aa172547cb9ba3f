import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { invalidRequest } from '../../schemas/errors.js';
import { Identity } from './identity.js';

const file = z.strictObject({
  keys: z.array(
    z.strictObject({
      name: z.string().min(1),
      /** Hexadecimal SHA-256 of the key: keys are long and random, so a slow hash gains nothing. */
      sha256: z.string().regex(/^[0-9a-fA-F]{64}$/, 'expected 64 hexadecimal digits'),
      models: z.array(z.string().min(1)).default(['*']),
      control: z.boolean().default(false),
      requestsPerSecond: z.number().positive().optional(),
    }),
  ),
});

/** Identities by the hash of their key. */
export type ApiKeys = ReadonlyMap<string, Identity>;

/**
 * Reads a file of API keys (YAML or JSON).
 * @throws PartituraError INVALID_REQUEST that names the field
 */
export function readApiKeys(path: string): ApiKeys {
  const { data, error } = file.safeParse(parseFile(path));
  if (error) {
    const [issue] = error.issues;
    throw invalidRequest(`${path}, ${issue?.path.join('.') || 'file'}: ${issue?.message}`);
  }
  return new Map(data.keys.map(({ sha256, ...grants }) => [sha256.toLowerCase(), new Identity(grants)]));
}

/** Finds the owner of a key; undefined for an unknown one. */
export function ownerOf(keys: ApiKeys, key: string): Identity | undefined {
  return keys.get(createHash('sha256').update(key).digest('hex'));
}

function parseFile(path: string): unknown {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw invalidRequest(
      `API keys: expected a readable YAML or JSON file, got '${path}': ${(cause as Error).message}`,
    );
  }
}
