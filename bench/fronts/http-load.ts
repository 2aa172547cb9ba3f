import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A request that h2load repeats. */
export interface HttpRequest {
  readonly url: string;
  readonly protocol: 'http/1.1' | 'h2c';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface HttpLoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  /** Answers with another status than 200. */
  readonly failed: number;
}

export interface HttpLoad {
  /** Each connection has one request in flight. */
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const SLACK_MS = 30_000;

/**
 * Measures a server with h2load, a generator in C from nghttp2.
 * @throws Error if h2load is missing or fails
 */
export async function runHttpLoad(request: HttpRequest, load: HttpLoad): Promise<HttpLoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'partitura-bench-'));
  try {
    const [body, log] = [join(folder, 'body'), join(folder, 'log')];
    writeFileSync(body, request.body);
    const timeout = load.warmUpMs + load.measureMs + SLACK_MS;
    await promisify(execFile)('h2load', argumentsOf(request, load, { body, log }), { timeout });
    return summarize(readFileSync(log, 'utf8'), load);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new Error('the benchmark of the gateway needs h2load (Debian: nghttp2-client)', { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function argumentsOf(
  { url, protocol, headers }: HttpRequest,
  { connections, warmUpMs, measureMs }: HttpLoad,
  files: { body: string; log: string },
): string[] {
  return [
    ...(protocol === 'http/1.1' ? ['--h1'] : []),
    ...['--threads=1', `--clients=${connections}`, '--max-concurrent-streams=1'],
    ...[`--duration=${measureMs}ms`, `--warm-up-time=${warmUpMs}ms`],
    ...[`--data=${files.body}`, `--log-file=${files.log}`],
    ...Object.entries(headers).map(([name, value]) => `--header=${name}: ${value}`),
    url,
  ];
}

/** Status in h2load's log of a request whose headers arrived during the warm-up, and whose trailers did not. */
const UNSEEN = 0;

/**
 * Reads h2load's log: per request its start and duration in microseconds, and the status in between; a stream that
 * failed has the status -1.
 */
function summarize(log: string, { measureMs }: HttpLoad): HttpLoadResult {
  const rows = log
    .trim()
    .split('\n')
    .map((line) => line.split('\t').map(Number));
  const micros = rows.map(([, , duration = NaN]) => duration).sort((a, b) => a - b);
  const at = (share: number): number =>
    (micros[Math.min(micros.length - 1, Math.floor(micros.length * share))] ?? NaN) / 1_000;
  return {
    requestsPerSecond: (micros.length * 1_000) / measureMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    requests: micros.length,
    failed: rows.filter(([, status]) => status !== 200 && status !== UNSEEN).length,
  };
}
