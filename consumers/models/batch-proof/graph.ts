import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelSource } from '../../engine/engine.js';

const CHUNK_BYTES = 2 ** 20;

/**
 * Operators whose scale is that of the largest value of all rows: `DynamicQuantizeLinear`, and those of ONNX Runtime that
 * contain it. An answer that is rounded afterwards may hide this from every random request.
 */
const MIXING_OPERATOR = 'DynamicQuantize';

/**
 * Explains why the graph of a model mixes rows whatever the proof shows; undefined where it does not say so. The name is
 * searched for as bytes: a model that has it for another reason is only not batched.
 */
export async function obstacleInGraph({
  directory,
  format,
}: Pick<ModelSource, 'directory' | 'format'>): Promise<string | undefined> {
  if (format !== 'onnx' || !(await holdsText(join(directory, 'model.onnx'), MIXING_OPERATOR)))
    return undefined;
  return 'dynamic quantization takes its scale from all rows of a batch';
}

/** Reads chunk by chunk, since weights may be in the same file. */
async function holdsText(path: string, text: string): Promise<boolean> {
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
