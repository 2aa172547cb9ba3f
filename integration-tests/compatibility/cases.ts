import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datatype } from '../../schemas/datatypes.js';
import type { Tensor } from '../../schemas/generated.js';

/** A model with a request and what ONNX Runtime answers to it, as `reference.py` writes them down. */
export interface Case {
  readonly model: string;
  /** Null when requests have no form for the inputs. */
  readonly inputs: readonly Tensor[] | null;
  /** Null when ONNX Runtime has no answer, or replies have no form for it. */
  readonly outputs: readonly Tensor[] | null;
  /** The values of the answer are others each time. */
  readonly random: boolean;
  /** Why there is no answer. */
  readonly reason: string | null;
}

interface WrittenTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: number[];
  /** Base64. */
  readonly data: string;
}

interface WrittenCase {
  readonly inputs: readonly WrittenTensor[] | null;
  readonly outputs: readonly WrittenTensor[] | null;
  readonly random?: boolean;
  readonly reason: string | null;
}

export async function readCases(folder: string): Promise<Case[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const written = JSON.parse(await readFile(join(folder, file), 'utf8')) as WrittenCase;
      const { inputs, outputs, random = false, reason } = written;
      return {
        model: file.replace(/\.json$/, ''),
        inputs: inputs && inputs.map(toTensor),
        outputs: outputs && outputs.map(toTensor),
        random,
        reason,
      };
    }),
  );
}

function toTensor({ data, ...rest }: WrittenTensor): Tensor {
  return { ...rest, data: Buffer.from(data, 'base64') };
}
