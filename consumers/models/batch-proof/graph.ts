import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSource } from '../../engine/engine.js';
import { formatNamed } from '../../engine/formats.js';

const CHUNK_BYTES = 2 ** 20;

/**
 * Returns the reason why the model's graph mixes rows whatever the proof shows; undefined if there is none. The operator
 * name is searched for as bytes; a false positive merely disables batching.
 */
export async function obstacleInGraph({
  directory,
  format,
}: Pick<ModelSource, 'directory' | 'format'>): Promise<string | undefined> {
  const { file, mixing } = formatNamed(format);
  return mixing && (await containsText(join(directory, file), mixing.operation)) ? mixing.reason : undefined;
}

/** Searches a file chunk by chunk, since it may contain large weights. */
async function containsText(path: string, text: string): Promise<boolean> {
  const file = await open(path);
  try {
    const overlap = text.length - 1;
    const buffer = Buffer.alloc(overlap + CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, overlap, CHUNK_BYTES);
      if (bytesRead === 0) return false;
      if (buffer.subarray(0, overlap + bytesRead).includes(text)) return true;
      buffer.copy(buffer, 0, bytesRead, overlap + bytesRead);
    }
  } finally {
    await file.close();
  }
}
