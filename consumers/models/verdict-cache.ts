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

/** A stored verdict. */
export interface CachedVerdict extends BatchingVerdict {
  /** Number of proofs that were cut short by time, each with a larger budget; undefined if the verdict is final. */
  readonly tries?: number | undefined;
}

const FOLDER = 'batching';

/**
 * Verdicts from earlier proofs and live checks, by everything they depend on. They are kept in memory and, if a folder is
 * given, in one file each, which several nodes on a host can share.
 */
export class VerdictCache {
  readonly #known = new Map<string, CachedVerdict>();
  readonly #folder: string | undefined;

  constructor(
    cacheFolder: string | undefined,
    readonly log: Pick<Logger, 'debug'>,
  ) {
    this.#folder = cacheFolder === undefined ? undefined : join(cacheFolder, FOLDER);
  }

  /** @param parts everything the verdict depends on */
  async get(parts: readonly string[]): Promise<CachedVerdict | undefined> {
    return this.#recall(keyOf(parts));
  }

  /**
   * Stores a verdict, unless a final one against batching exists: a live check of another node may have found what a proof
   * missed.
   * @returns the verdict in effect
   */
  async store(parts: readonly string[], found: CachedVerdict): Promise<CachedVerdict> {
    const key = keyOf(parts);
    const known = await this.#recall(key);
    if (known && isFinal(known) && !known.batchable) return known;
    const { batchable, reason, tries } = found;
    const value = { batchable, reason, ...(tries !== undefined && { tries }) };
    this.#known.set(key, value);
    await this.#write(key, value).catch((error: unknown) => {
      this.log.debug(
        { err: error, folder: this.#folder },
        'batching verdict cannot be stored; kept in memory',
      );
    });
    return value;
  }

  /** Reads the file unless a final verdict against batching is in memory: otherwise another node may have found more. */
  async #recall(key: string): Promise<CachedVerdict | undefined> {
    const known = this.#known.get(key);
    if (known && isFinal(known) && !known.batchable) return known;
    const latest = (await this.#read(key)) ?? known;
    if (latest) this.#known.set(key, latest);
    return latest;
  }

  async #read(key: string): Promise<CachedVerdict | undefined> {
    if (this.#folder === undefined) return undefined;
    try {
      return verdict.parse(JSON.parse(await readFile(join(this.#folder, `${key}.json`), 'utf8')));
    } catch {
      return undefined;
    }
  }

  /** Writes to a temporary file first, so that readers never see a partial file. */
  async #write(key: string, value: CachedVerdict): Promise<void> {
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

/** True if a verdict needs no further proof. */
export function isFinal({ tries }: CachedVerdict): boolean {
  return tries === undefined;
}

function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
