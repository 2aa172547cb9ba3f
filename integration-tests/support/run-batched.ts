import { Batcher } from '../../consumers/batching/batcher.js';
import type { BatchLimits } from '../../consumers/batching/limits.js';
import type { RowTensor } from '../../consumers/batching/rows.js';
import type { LoadedModel } from '../../consumers/engine/index.js';
import { validateRequest } from '../../consumers/models/validate.js';
import type { Tensor } from '../../schemas/generated.js';

/** Submits all requests at once to a new batcher, and resolves with the outputs of each. */
export function runBatched(
  model: LoadedModel,
  limits: Pick<BatchLimits, 'maxBatchRows' | 'parallelism' | 'batchable'>,
  requests: readonly Tensor[][],
): Promise<(readonly RowTensor[])[]> {
  const batcher = new Batcher((inputs) => model.run(inputs), {
    ...limits,
    prefetchRows: 1,
    maxBatchDelayMs: 0,
  });
  return Promise.all(
    requests.map((inputs) => {
      const request = {
        id: '',
        model: '',
        modelVersion: null,
        inputs,
        outputs: [],
        parameters: {},
        deadline: null,
      };
      const valid = validateRequest(request, model.signature);
      return new Promise<readonly RowTensor[]>((resolve, reject) => {
        batcher.submit({
          ...valid,
          deadline: null,
          arrivedAt: 0,
          answered: ({ outputs }) => resolve(outputs),
          failed: reject,
        });
      });
    }),
  );
}
