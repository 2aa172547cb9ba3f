import { readFile } from 'node:fs/promises';
import { PartituraError } from '../../../../schemas/errors.js';

const KINDS = ['graph-model', 'layers-model'] as const;

/** Kind of a TensorFlow.js model, as `model.json` declares it. */
export type TensorFlowJsKind = (typeof KINDS)[number];

/**
 * Reads the kind of a TensorFlow.js model from its `model.json`.
 * @throws PartituraError MODEL_FAILED if the file is not JSON or of neither kind
 */
export async function tensorFlowJsKind(file: string): Promise<TensorFlowJsKind> {
  const { format: declared, modelTopology } = parseModelJson(await readFile(file, 'utf8'), file);
  const kind = declared === undefined ? kindOf(modelTopology) : KINDS.find((one) => one === declared);
  if (kind) return kind;
  throw new PartituraError(
    'MODEL_FAILED',
    `${file}: expected "format" to be ${KINDS.join(' or ')}, or a matching "modelTopology", got ${JSON.stringify(declared) ?? 'neither'}`,
  );
}

/** Infers an undeclared kind from the topology: a GraphDef has nodes, a Keras model has a configuration. */
function kindOf(topology: object | undefined): TensorFlowJsKind | undefined {
  if (!topology) return undefined;
  if ('node' in topology) return 'graph-model';
  return 'model_config' in topology || 'class_name' in topology ? 'layers-model' : undefined;
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
