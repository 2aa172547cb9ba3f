import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelFormat } from './engine.js';

const SAVED_MODEL_FILE = 'saved_model.pb';
export const ONNX_FILE = 'model.onnx';
const TENSORFLOWJS_FILE = 'model.json';

const TENSORFLOWJS_FORMATS: Readonly<Record<string, ModelFormat>> = {
  'graph-model': 'graph_model',
  'layers-model': 'layers_model',
};

/**
 * Which artefact a version folder holds; it decides which engine serves. Of several the one is served that is
 * the original rather than a conversion: SavedModel before ONNX before TensorFlow.js, which keeps the fewest
 * data types.
 * @throws PartituraError MODEL_FAILED that lists what was looked for
 */
export async function detectFormat(directory: string): Promise<ModelFormat> {
  if (await isFile(join(directory, SAVED_MODEL_FILE))) return 'saved_model';
  if (await isFile(join(directory, ONNX_FILE))) return 'onnx';
  if (await isFile(join(directory, TENSORFLOWJS_FILE))) return tensorflowJsFormat(directory);
  throw new PartituraError(
    'MODEL_FAILED',
    `${directory} holds no model: looked for ${SAVED_MODEL_FILE} (SavedModel), ${ONNX_FILE} (ONNX) and ${TENSORFLOWJS_FILE} (TensorFlow.js graph or layers model)`,
  );
}

async function tensorflowJsFormat(directory: string): Promise<ModelFormat> {
  const file = join(directory, TENSORFLOWJS_FILE);
  const declared = declaredFormat(await readFile(file, 'utf8'), file);
  const format = TENSORFLOWJS_FORMATS[declared];
  if (format) return format;
  const known = Object.keys(TENSORFLOWJS_FORMATS).join(' or ');
  throw new PartituraError('MODEL_FAILED', `${file}: expected "format" to be ${known}, got ${declared}`);
}

function declaredFormat(text: string, file: string): string {
  try {
    const json = JSON.parse(text) as { format?: unknown } | null;
    return String(json?.format);
  } catch (cause) {
    throw new PartituraError('MODEL_FAILED', `${file} is not JSON`, { cause });
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
