import { open, type FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';
import { invalidRequest } from '../../schemas/errors.js';
import { linesOf } from '../../schemas/tensor-lines.js';
import { writeWhole } from '../files/write-whole.js';
import { NpyOutput } from '../files/npy.js';
import type { JobPlan, ResultPart } from '../kinds/kind.js';
import type { ResultSink } from './result-sink.js';

/**
 * Opens the output file of a job.
 * @param position bytes of it that an earlier coordinator has delivered; the rest is written again
 * @throws PartituraError INVALID_REQUEST if results of the kind cannot be written in this format
 */
export async function openFileSink(path: string, { shape }: JobPlan, position: number): Promise<ResultSink> {
  const ending = extname(path);
  if (ending === '.npy' && shape) return new NpySink(await NpyOutput.open(path, shape, position));
  if (ending === '.ndjson' || ending === '.jsonl') return NdjsonSink.open(path, position);
  const expected = shape ? '.npy, .ndjson or .jsonl' : '.ndjson or .jsonl';
  throw invalidRequest(`parameters.output: expected a file that ends in ${expected}, got '${ending}'`);
}

class NpySink implements ResultSink {
  constructor(readonly output: NpyOutput) {}

  get position(): number {
    return this.output.position;
  }

  deliver(part: ResultPart): Promise<void> {
    return this.output.write(Buffer.concat(part.map(({ data }) => data)));
  }

  close(): Promise<void> {
    return this.output.close();
  }
}

/** A line for each row of the result: its outputs by name, without the first dimension. */
class NdjsonSink implements ResultSink {
  static async open(path: string, position: number): Promise<NdjsonSink> {
    const file = await open(path, position === 0 ? 'w' : 'r+');
    await file.truncate(position);
    return new NdjsonSink(file, position);
  }

  private constructor(
    readonly file: FileHandle,
    public position: number,
  ) {}

  async deliver(part: ResultPart): Promise<void> {
    const bytes = Buffer.from(linesOf(part));
    await writeWhole(this.file, bytes, this.position);
    await this.file.datasync();
    this.position += bytes.length;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
