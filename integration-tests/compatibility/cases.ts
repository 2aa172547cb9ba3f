import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datatype } from '../../schemas/datatypes.js';
import type { Tensor } from '../../schemas/generated.js';

/** A model with a request and the reference outputs of ONNX Runtime, as written by `reference.py`. */
export interface Case {
  readonly model: string;
  /** Null if requests cannot represent the inputs. */
  readonly inputs: readonly Tensor[] | null;
  /** Null if ONNX Runtime fails, or replies cannot represent its outputs. */
  readonly outputs: readonly Tensor[] | null;
  /** True if the outputs are random. */
  readonly random: boolean;
  /** Reason for missing outputs. */
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
