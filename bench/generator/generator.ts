import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Workload } from '../workloads.js';

export interface Load {
  readonly brokers: string;
  readonly requestTopic: string;
  readonly replyTopic: string;
  readonly partitions: number;
  /** Requests in flight; each reply triggers the next request. */
  readonly inflight: number;
  readonly warmUpMs: number;
  /** 0 sends no requests beyond those in flight. */
  readonly measureMs: number;
  /** Time to wait for replies at the end. Default 30 s. */
  readonly drainMs?: number;
  /** Linger of the producer. Default 1 ms, and 0 with one request in flight. */
  readonly lingerMs?: number;
  /** Maximum record size. Default 1 MB. */
  readonly maxBytes?: number;
  /** Matches replies to requests. Default: the correlation header. */
  readonly match?: 'header' | 'key';
  /** Changes the partition with each record, as with many callers, or with each batch. Default `records`. */
  readonly spread?: 'records' | 'batches';
  /** An additional header, `name:value`. */
  readonly header?: string;
  readonly workload: Workload;
}

/** Results of a load; every reply is checked. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answered requests, including warm-up. */
  readonly requests: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly wrong: number;
  /** The longest time between two replies, milliseconds. */
  readonly longestGapMs: number;
  /** Processor time of the generator itself. */
  readonly processorSeconds: number;
}

type Printed = Omit<LoadResult, 'requestsPerSecond'> & {
  readonly measured: number;
  readonly seconds: number;
};

const SOURCE = fileURLToPath(new URL('../../../bench/generator/load.c', import.meta.url));
const SLACK_MS = 60_000;
const DRAIN_MS = 30_000;

/** A load generator in C: one in JavaScript would take more processor time than the measured system. */
export class Generator {
  readonly #folder = mkdtempSync(join(tmpdir(), 'partitura-bench-'));
  readonly #program = join(this.#folder, 'load');

  /** @throws Error that names missing prerequisites */
  constructor() {
    try {
      execFileSync('cc', ['-O2', '-o', this.#program, SOURCE, '-lrdkafka', '-lm'], { stdio: 'pipe' });
    } catch (cause) {
      this.close();
      const missing =
        "the benchmark needs a C compiler and librdkafka's headers (Debian: gcc, librdkafka-dev)";
      throw new Error(missing, { cause });
    }
  }

  async run(load: Load): Promise<LoadResult> {
    const { inflight, warmUpMs, measureMs, drainMs = DRAIN_MS, workload } = load;
    const options = {
      brokers: load.brokers,
      'request-topic': load.requestTopic,
      'reply-topic': load.replyTopic,
      partitions: load.partitions,
      inflight,
      'warm-up-ms': warmUpMs,
      'measure-ms': measureMs,
      'drain-ms': drainMs,
      'linger-ms': load.lingerMs ?? (inflight === 1 ? 0 : 1),
      'max-bytes': load.maxBytes ?? 1_000_000,
      match: load.match ?? 'header',
      spread: load.spread ?? 'records',
      check: workload.check,
      needle: this.#write('needle', workload.needle),
      ...(load.header ? { header: load.header } : {}),
    };
    const named = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    const output = await this.#execute(
      [...named, ...this.#files(workload)],
      warmUpMs + measureMs + drainMs + SLACK_MS,
    );
    const { measured, seconds, ...rest } = JSON.parse(output) as Printed;
    return { ...rest, requestsPerSecond: measured / seconds };
  }

  #files({ values, expected }: Workload): string[] {
    return values.flatMap((value, index) => [
      this.#write(`value-${index}`, value),
      this.#write(`expected-${index}`, expected[index] ?? Buffer.alloc(0)),
    ]);
  }

  #write(name: string, value: Buffer): string {
    const file = join(this.#folder, name);
    writeFileSync(file, value);
    return file;
  }

  #execute(args: readonly string[], timeout: number): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(this.#program, args, { timeout }, (error, stdout, stderr) => {
        if (stderr !== '') process.stderr.write(stderr);
        // The cause is omitted, since it quotes the entire command.
        if (error) reject(new Error(`load generator failed: ${stderr || `exit code ${error.code}`}`));
        else resolve(stdout);
      });
    });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
