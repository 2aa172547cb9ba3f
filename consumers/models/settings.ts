import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { PartituraError } from '../../schemas/errors.js';

/** What a `model.yaml` beside a model's files may say; the node's configuration holds for what it leaves out. */
const settings = z.strictObject({
  /** Rows of one batch. */
  maxBatchRows: z.number().int().min(1).optional(),
  /** How long an idle engine waits for a batch to fill, milliseconds. */
  maxBatchDelayMs: z.number().int().min(0).optional(),
  /** Whether requests may share a batch and be cut; believed without proof. Proven when left out. */
  batchable: z.boolean().optional(),
  /** Whether the version is run before it serves, with zeros and to prove batching; true when left out. */
  warmUp: z.boolean().optional(),
  /** Signature of a SavedModel that answers requests which name none; `serving_default`, or the only one, when left out. */
  signature: z.string().min(1).optional(),
});

export type ModelSettings = z.infer<typeof settings>;

/**
 * Reads the `model.yaml` of a version folder; empty when there is none.
 * @throws PartituraError INVALID_REQUEST that names the wrong field
 */
export async function readModelSettings(directory: string): Promise<ModelSettings> {
  const text = await readFile(join(directory, 'model.yaml'), 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  const checked = settings.safeParse(parseYaml(text) ?? {});
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new PartituraError('INVALID_REQUEST', `model.yaml: ${problems.join('; ')}`);
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new PartituraError('INVALID_REQUEST', `model.yaml: ${PartituraError.from(cause).message}`, {
      cause,
    });
  }
}
