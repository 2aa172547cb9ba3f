import { readFileSync } from 'node:fs';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { join } from 'node:path';
import { CLASSES } from '../../examples/digits/dataset.js';
import { within } from '../../core/time.js';
import { MODEL } from './requests.js';
import type { HttpRequest } from './http-load.js';

const LIMIT_MS = 30_000;
const TOLERANCE = 1e-4;

/**
 * Sends a request once and compares its first row, since h2load discards answers.
 * @throws Error if the answer is an error or differs
 */
export async function verify(request: HttpRequest, modelsFolder: string): Promise<void> {
  const answers = readFileSync(join(modelsFolder, `${MODEL}.expected`));
  const expected = Array.from({ length: CLASSES }, (_, index) => answers.readFloatLE(index * 4));
  const bytes = await (request.protocol === 'h2c' ? callGrpc(request) : callHttp(request));
  if (!hasFloats(bytes, expected) && !hasNumbers(bytes.toString(), expected))
    throw new Error(
      `${request.url}: expected ${expected.join(', ')}, got ${bytes.subarray(0, 500).toString()}`,
    );
}

async function callHttp({ url, headers, body }: HttpRequest): Promise<Buffer> {
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(LIMIT_MS) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${bytes.subarray(0, 500).toString()}`);
  return bytes;
}

async function callGrpc({ url, headers, body }: HttpRequest): Promise<Buffer> {
  const { origin, pathname } = new URL(url);
  const session = connect(origin);
  const answered = new Promise<Buffer>((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': pathname, ...headers });
    const chunks: Buffer[] = [];
    const check = (fields: IncomingHttpHeaders): void => {
      const { 'grpc-status': status, 'grpc-message': message } = fields;
      if (status !== undefined && status !== '0')
        reject(new Error(`${url}: gRPC status ${status.toString()} ${message?.toString()}`));
    };
    stream.on('response', check).on('trailers', check).on('error', reject);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
    stream.end(body);
  });
  session.on('error', () => undefined);
  return within(LIMIT_MS, answered, () => new Error(`${url}: no answer`)).finally(() => session.destroy());
}

function hasFloats(bytes: Buffer, expected: readonly number[]): boolean {
  for (let start = 0; start + 4 * CLASSES <= bytes.length; start++)
    if (expected.every((value, index) => isNear(bytes.readFloatLE(start + 4 * index), value))) return true;
  return false;
}

function hasNumbers(text: string, expected: readonly number[]): boolean {
  const numbers = /"data":\s*\[([^\]]*)/.exec(text)?.[1]?.split(',').map(Number);
  return numbers !== undefined && expected.every((value, index) => isNear(numbers[index] ?? NaN, value));
}

const isNear = (value: number, expected: number): boolean => Math.abs(value - expected) < TOLERANCE;
