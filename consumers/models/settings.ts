import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { DELIVERIES } from '../../core/config/node.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';

/** Options in a version folder's `model.yaml`; they override the node's configuration. */
const settings = z.strictObject({
  /** Maximum rows of a batch. */
  maxBatchRows: z.number().int().min(1).optional(),
  /** Maximum time that an idle engine waits for a batch to fill, milliseconds. */
  maxBatchDelayMs: z.number().int().min(0).optional(),
  /** True if requests may share a batch and be split, which is then not verified. Verified by a proof if unset. */
  batchable: z.boolean().optional(),
  /** False to skip all runs before the version serves: warm-up and the batching proof. Default true. */
  warmUp: z.boolean().optional(),
  /** Delivery of requests to the nodes, for all versions of the model; the newest version that is served decides. */
  delivery: z.enum(DELIVERIES).optional(),
  /** Default signature of a SavedModel; `serving_default`, or the only one, if unset. */
  signature: z.string().min(1).optional(),
});

export type ModelSettings = z.infer<typeof settings>;

/**
 * Reads the `model.yaml` of a version folder; empty if there is none.
 * @throws PartituraError INVALID_REQUEST naming the invalid fields
 */
export async function readModelSettings(directory: string): Promise<ModelSettings> {
  const text = await readFile(join(directory, 'model.yaml'), 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  const checked = settings.safeParse(parseYaml(text) ?? {});
  if (checked.success) return checked.data;
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw invalidRequest(`model.yaml: ${problems.join('; ')}`);
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
