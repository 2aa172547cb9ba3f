import { PartituraError } from '../../schemas/errors.js';
import type { InferenceReply } from '../../schemas/generated.js';
import { GrowingBuffer } from '../http/growing-buffer.js';
import { readBody } from '../json/read-body.js';
import { rowTexts } from '../json/write-elements.js';

const LINE_FEED = 0x0a;

/**
 * Splits a stream into lines; a line break within a chunk ends a line, an empty line is skipped.
 * @throws PartituraError REQUEST_TOO_LARGE for a line above the limit
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  const rest = new GrowingBuffer();
  for await (const chunk of chunks) {
    let begin = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, begin)) {
      rest.push(chunk.subarray(begin, end));
      begin = end + 1;
      const line = rest.take();
      if (!isBlank(line)) yield line;
    }
    rest.push(chunk.subarray(begin));
    if (rest.length > maxBytes)
      throw new PartituraError('REQUEST_TOO_LARGE', `line: expected at most ${maxBytes} bytes, got more`);
  }
  const last = rest.take();
  if (!isBlank(last)) yield last;
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

/** Reads the row of a line. @throws PartituraError DECODE_FAILED */
export function readLine(line: Buffer): Promise<unknown> {
  return readBody(line);
}

/** Writes the answer of a row: its outputs by name, without the batch dimension. */
export function writeAnswer(line: number, { outputs }: InferenceReply): string {
  const values = outputs.map(
    (output) => `${JSON.stringify(output.name)}:${rowTexts(output, 1)[0] ?? 'null'}`,
  );
  return `{"line":${line},"outputs":{${values.join(',')}}}\n`;
}

/** Writes the error of a row. */
export function writeError(line: number, error: string): string {
  return `${JSON.stringify({ line, error })}\n`;
}

/** Writes how many rows have been answered. */
export function writeProgress(done: number, failed: number): string {
  return `${JSON.stringify({ progress: { done, failed } })}\n`;
}
