import { z } from 'zod';
import type { Part } from '../dispatch/part.js';
import { rowGroups } from '../files/rows.js';
import type { JobKind } from './kind.js';
import { COMMON, count, file } from './parameters.js';

const ROWS_PER_PART = 256;

const parameters = z.strictObject({
  ...COMMON,
  model: z.string().min(1),
  /** File with a row per line: .ndjson, .jsonl or .csv. */
  input: file,
  /** Rows of a part. */
  block: count.default(ROWS_PER_PART),
});

/** Inference over a file: results in the order of the rows. */
export const map: JobKind<typeof parameters> = {
  name: 'map',
  summary: 'runs a model on every row of a file',
  parameters,
  async plan({ model, input, block }, { files, inputsOf, maxPartBytes }) {
    const path = await files.input(input);
    const inputs = inputsOf(model);
    const limits = { rows: block, bytes: maxPartBytes };
    return {
      parts: null,
      close: () => Promise.resolve(),
      results: (dispatcher, from) => {
        dispatcher.skip(from);
        return dispatcher.inOrder(parts(from));
      },
    };

    async function* parts(from: number): AsyncGenerator<Part> {
      let index = 0;
      for await (const group of rowGroups(path, inputs, limits))
        if (index++ >= from) yield { model, inputs: group };
    }
  },
};
