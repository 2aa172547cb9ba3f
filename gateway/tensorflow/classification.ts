import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { decodeElements, type Element } from '../../schemas/tensor.js';

/** A class with its score. */
export interface Classified {
  readonly label: string;
  readonly score: number;
}

/**
 * Reads the outputs `classes` (BYTES) and `scores` (FP32), at least one of them, each of shape [examples, classes].
 * A missing label is empty and a missing score 0, as in TensorFlow Serving.
 * @throws PartituraError INVALID_REQUEST if the model's signature has other outputs
 */
export function classifications(outputs: readonly Tensor[], examples: number): Classified[][] {
  const labels = column(outputs, 'classes', 'BYTES', examples);
  const scores = column(outputs, 'scores', 'FP32', examples);
  if (!labels && !scores)
    throw invalidRequest(
      'Expected classification signature outputs to contain at least one of "classes" or "scores". ' +
        `Signature was: ${outputs.map(({ name }) => name).join(', ')}`,
    );
  const classes = (labels ?? scores)?.width ?? 0;
  if (labels && scores && labels.width !== scores.width)
    throw invalidRequest(
      `Tensors class and score should match in dim_size(1). Got ${labels.width} vs. ${scores.width}`,
    );
  return Array.from({ length: examples }, (_, row) =>
    Array.from({ length: classes }, (_unused, index) => ({
      label: String(labels?.elements[row * classes + index] ?? ''),
      score: Number(scores?.elements[row * classes + index] ?? 0),
    })),
  );
}

interface Column {
  readonly width: number;
  readonly elements: readonly Element[];
}

function column(
  outputs: readonly Tensor[],
  wanted: string,
  datatype: 'BYTES' | 'FP32',
  examples: number,
): Column | undefined {
  const output = outputs.find(({ name }) => name === wanted);
  if (!output) return undefined;
  const [rows, width] = output.shape;
  if (output.shape.length !== 2 || rows !== examples || output.datatype !== datatype)
    throw invalidRequest(
      `Expected ${wanted} output of ${datatype} and shape [${examples},num_classes]. ` +
        `Got: ${output.datatype} [${output.shape.join(',')}]`,
    );
  return { width: width ?? 0, elements: decodeElements(datatype, output.data, `output '${wanted}'`) };
}
