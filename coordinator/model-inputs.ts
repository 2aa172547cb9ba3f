import type { LiveNodes } from '../cluster/live-nodes.js';
import { PartituraError } from '../schemas/errors.js';
import type { TensorStatus } from '../schemas/generated.js';

/** Returns the function that looks up the inputs of a model, as live nodes report them. */
export function inputsFrom(nodes: Pick<LiveNodes, 'nodes'>): (model: string) => readonly TensorStatus[] {
  return (model) => {
    const served = nodes
      .nodes()
      .filter(({ alive }) => alive)
      .flatMap(({ models }) => models)
      .filter((one) => one.model === model && one.state === 'AVAILABLE');
    const [newest] = served.sort((a, b) => Number(b.version) - Number(a.version));
    const inputs = newest?.signatures[0]?.inputs;
    if (inputs) return inputs;
    throw new PartituraError(
      'MODEL_NOT_FOUND',
      `parameters.model: expected a model that a node serves, got '${model}'`,
    );
  };
}
