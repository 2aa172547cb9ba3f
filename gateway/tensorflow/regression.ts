import { invalidRequest } from '../../schemas/errors.js';
import type { Tensor } from '../../schemas/generated.js';
import { decodeElements } from '../../schemas/tensor.js';

/**
 * Reads the output `outputs` (FP32), one value for each example.
 * @throws PartituraError INVALID_REQUEST if the model's signature has other outputs
 */
export function regressions(outputs: readonly Tensor[], examples: number): number[] {
  const output =
    outputs.find(({ name }) => name === 'outputs') ?? (outputs.length === 1 ? outputs[0] : undefined);
  if (!output) throw invalidRequest('Expected regression signature outputs to contain "outputs"');
  const { datatype, shape, data } = output;
  const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (datatype !== 'FP32' || !isColumn || shape[0] !== examples)
    throw invalidRequest(
      `Expected output Tensor of FP32 and shape [${examples}] or [${examples},1]. Got: ${datatype} [${shape.join(',')}]`,
    );
  return decodeElements('FP32', data, "output 'outputs'").map(Number);
}
