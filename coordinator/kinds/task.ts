import { z } from 'zod';
import type { Part } from '../dispatch/part.js';
import { text } from '../files/float-tensors.js';
import type { JobKind } from './kind.js';
import { COMMON, count, MAX_PARTS } from './parameters.js';

const parameters = z.looseObject({
  ...COMMON,
  /** Parts that the task is called for. */
  parts: count.max(MAX_PARTS),
});

/**
 * Work by an operator's own function: a task of any name is a kind of job. It is called once for each part, with the
 * input `part`, a JSON text with the part's number, the number of parts and all parameters, and with the inputs of the
 * job. The results of the parts follow each other in order.
 */
export function taskKind(name: string): JobKind<typeof parameters> {
  return {
    name,
    summary: `runs the task '${name}' in parts`,
    parameters,
    plan({ parts, output: _output, priority: _priority, ...own }, { request }) {
      const partOf = (index: number): Part => ({
        model: name,
        inputs: [text('part', JSON.stringify({ ...own, index, parts })), ...request.inputs],
      });
      function* partsFrom(from: number): Generator<Part> {
        for (let index = from; index < parts; index++) yield partOf(index);
      }
      return Promise.resolve({
        parts,
        close: () => Promise.resolve(),
        results: (dispatcher, from) => {
          dispatcher.skip(from);
          return dispatcher.inOrder(partsFrom(from));
        },
      });
    },
  };
}
