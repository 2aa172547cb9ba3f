import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelFormat } from './engine.js';
import type { FormatDefinition } from './thread/format.js';
import { onnx } from './thread/onnx/format.js';
import { task } from './thread/task/format.js';
import { graphModel, layersModel, savedModel } from './thread/tensorflow/formats.js';

/**
 * All model formats in order of detection: originals before conversions, and TensorFlow.js, which supports the fewest
 * data types, last. Importing the table loads no runtime.
 */
export const FORMATS: Readonly<Record<ModelFormat, FormatDefinition>> = {
  saved_model: savedModel,
  onnx,
  graph_model: graphModel,
  layers_model: layersModel,
  task,
};

/** Looks up a format by its name. @throws Error for a name that `detectFormat` never returns */
export function formatNamed(name: ModelFormat): FormatDefinition {
  const format = FORMATS[name];
  if (!format) throw new Error(`model format: expected ${Object.keys(FORMATS).join(', ')}, got ${name}`);
  return format;
}

/**
 * Detects the model format of a version folder.
 * @param isTask true for a folder of tasks, which holds code and no models
 * @throws PartituraError MODEL_FAILED listing the expected files
 */
export async function detectFormat(directory: string, isTask = false): Promise<ModelFormat> {
  const possible = Object.entries(FORMATS).filter(([, { isCode = false }]) => isCode === isTask);
  for (const [name, format] of possible) {
    const path = join(directory, format.file);
    if ((await isFile(path)) && (await (format.isIn?.(path) ?? true))) return name;
  }
  const kind = isTask ? 'task' : 'model';
  const expected = expectedFiles(possible.map(([, format]) => format));
  throw new PartituraError('MODEL_FAILED', `${directory} contains no ${kind}: expected ${expected}`);
}

function expectedFiles(formats: readonly FormatDefinition[]): string {
  const files = new Set(formats.map(({ file, title }) => `${file} (${title})`));
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(files);
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
