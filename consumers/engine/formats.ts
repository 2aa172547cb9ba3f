import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelFormat } from './engine.js';

const SAVED_MODEL_FILE = 'saved_model.pb';
export const ONNX_FILE = 'model.onnx';
const TENSORFLOWJS_FILE = 'model.json';

const TENSORFLOWJS_FORMATS: ReadonlyMap<unknown, ModelFormat> = new Map([
  ['graph-model', 'graph_model'],
  ['layers-model', 'layers_model'],
]);

/**
 * Detects the model format of a version folder. If there are several, the original takes precedence over conversions:
 * SavedModel, then ONNX, then TensorFlow.js, which supports the fewest data types.
 * @throws PartituraError MODEL_FAILED listing the expected files
 */
export async function detectFormat(directory: string): Promise<ModelFormat> {
  if (await isFile(join(directory, SAVED_MODEL_FILE))) return 'saved_model';
  if (await isFile(join(directory, ONNX_FILE))) return 'onnx';
  if (await isFile(join(directory, TENSORFLOWJS_FILE))) return tensorflowJsFormat(directory);
  throw new PartituraError(
    'MODEL_FAILED',
    `${directory} contains no model: expected ${SAVED_MODEL_FILE} (SavedModel), ${ONNX_FILE} (ONNX) or ${TENSORFLOWJS_FILE} (TensorFlow.js graph or layers model)`,
  );
}

async function tensorflowJsFormat(directory: string): Promise<ModelFormat> {
  const file = join(directory, TENSORFLOWJS_FILE);
  const { format: declared, modelTopology } = parseModelJson(await readFile(file, 'utf8'), file);
  const format = declared === undefined ? formatOf(modelTopology) : TENSORFLOWJS_FORMATS.get(declared);
  if (format) return format;
  const known = [...TENSORFLOWJS_FORMATS.keys()].join(' or ');
  throw new PartituraError(
    'MODEL_FAILED',
    `${file}: expected "format" to be ${known}, or a matching "modelTopology", got ${JSON.stringify(declared) ?? 'neither'}`,
  );
}

/** Infers an undeclared format from the topology: a GraphDef has nodes, a Keras model has a configuration. */
function formatOf(topology: object | undefined): ModelFormat | undefined {
  if (!topology) return undefined;
  if ('node' in topology) return 'graph_model';
  return 'model_config' in topology || 'class_name' in topology ? 'layers_model' : undefined;
}

interface ModelJson {
  readonly format?: unknown;
  readonly modelTopology?: object;
}

function parseModelJson(text: string, file: string): ModelJson {
  try {
    const { format, modelTopology } = JSON.parse(text) as { format?: unknown; modelTopology?: unknown };
    const isObject = typeof modelTopology === 'object' && modelTopology !== null;
    return { format: format ?? undefined, ...(isObject && { modelTopology }) };
  } catch (cause) {
    throw new PartituraError('MODEL_FAILED', `${file} is not a JSON object`, { cause });
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
