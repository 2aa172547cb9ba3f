import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../core/log.js';
import type { BatchingVerdict } from './batch-proof/verdict.js';

const verdict = z.strictObject({ batchable: z.boolean(), reason: z.string().min(1).max(2_000) });

const FOLDER = 'batching';

/**
 * Verdicts that were proven before, by what they depend on. They are kept in memory and, where a folder is given, in a
 * file each, so that several nodes of a machine can share it.
 */
export class VerdictMemory {
  readonly #known = new Map<string, BatchingVerdict>();
  readonly #folder: string | undefined;

  constructor(
    cacheFolder: string | undefined,
    readonly log: Pick<Logger, 'debug'>,
  ) {
    this.#folder = cacheFolder === undefined ? undefined : join(cacheFolder, FOLDER);
  }

  /** @param parts all that a verdict depends on */
  async recall(parts: readonly string[]): Promise<BatchingVerdict | undefined> {
    const key = keyOf(parts);
    const known = this.#known.get(key) ?? (await this.#read(key));
    if (known) this.#known.set(key, known);
    return known;
  }

  async remember(parts: readonly string[], { batchable, reason }: BatchingVerdict): Promise<void> {
    const key = keyOf(parts);
    this.#known.set(key, { batchable, reason });
    await this.#write(key, { batchable, reason }).catch((error: unknown) => {
      this.log.debug(
        { err: error, folder: this.#folder },
        'batching verdict cannot be stored; it is kept in memory',
      );
    });
  }

  async #read(key: string): Promise<BatchingVerdict | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      return verdict.parse(JSON.parse(await readFile(join(this.#folder, `${key}.json`), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** Under another name first: a reader must not see half of it. */
  async #write(key: string, value: BatchingVerdict): Promise<void> {
    if (this.#folder === undefined) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const file = join(this.#folder, `${key}.json`);
    const unfinished = `${file}.${process.pid}`;
    try {
      await writeFile(unfinished, `${JSON.stringify(value)}\n`);
      await rename(unfinished, file);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }
}

function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
