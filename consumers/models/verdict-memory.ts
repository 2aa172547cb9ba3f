import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Logger } from '../../core/log.js';
import type { BatchingVerdict } from './batch-proof/verdict.js';

const verdict = z.strictObject({
  batchable: z.boolean(),
  reason: z.string().min(1).max(2_000),
  tries: z.number().int().min(1).max(100).optional(),
});

/** A verdict as it is remembered. */
export interface RememberedVerdict extends BatchingVerdict {
  /** How often a proof was cut short by time, each with more of it; undefined where the verdict is final. */
  readonly tries?: number | undefined;
}

const FOLDER = 'batching';

/**
 * Verdicts that were proven before, or found false in service, by what they depend on. They are kept in memory and, where
 * a folder is given, in a file each, so that several nodes of a machine can share it.
 */
export class VerdictMemory {
  readonly #known = new Map<string, RememberedVerdict>();
  readonly #folder: string | undefined;

  constructor(
    cacheFolder: string | undefined,
    readonly log: Pick<Logger, 'debug'>,
  ) {
    this.#folder = cacheFolder === undefined ? undefined : join(cacheFolder, FOLDER);
  }

  /** @param parts all that a verdict depends on */
  async recall(parts: readonly string[]): Promise<RememberedVerdict | undefined> {
    return this.#recall(keyOf(parts));
  }

  /**
   * Remembers a verdict, unless a final one against batching is known: another node may have found in service what a proof
   * did not.
   * @returns the verdict that counts
   */
  async remember(parts: readonly string[], found: RememberedVerdict): Promise<RememberedVerdict> {
    const key = keyOf(parts);
    const known = await this.#recall(key);
    if (known && isFinal(known) && !known.batchable) return known;
    const { batchable, reason, tries } = found;
    const value = { batchable, reason, ...(tries !== undefined && { tries }) };
    this.#known.set(key, value);
    await this.#write(key, value).catch((error: unknown) => {
      this.log.debug(
        { err: error, folder: this.#folder },
        'batching verdict cannot be stored; it is kept in memory',
      );
    });
    return value;
  }

  /** What is in memory counts once it is final; before, and where it speaks for batching, another node may know more. */
  async #recall(key: string): Promise<RememberedVerdict | undefined> {
    const known = this.#known.get(key);
    if (known && isFinal(known) && !known.batchable) return known;
    const latest = (await this.#read(key)) ?? known;
    if (latest) this.#known.set(key, latest);
    return latest;
  }

  async #read(key: string): Promise<RememberedVerdict | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      return verdict.parse(JSON.parse(await readFile(join(this.#folder, `${key}.json`), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** Under another name first: a reader must not see half of it. */
  async #write(key: string, value: RememberedVerdict): Promise<void> {
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

/** Tells whether a verdict needs no further proof. */
export function isFinal({ tries }: RememberedVerdict): boolean {
  return tries === undefined;
}

function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
