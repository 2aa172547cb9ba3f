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
  /** Requests under way at once; each reply sends the next. */
  readonly inflight: number;
  readonly warmUpMs: number;
  /** 0: the requests in flight are all there are. */
  readonly measureMs: number;
  /** How long replies are waited for at the end. Default 30 s. */
  readonly drainMs?: number;
  /** How long the sender gathers records. Default 1 ms, and none when one is in flight. */
  readonly lingerMs?: number;
  /** Largest record. Default 1 MB. */
  readonly maxBytes?: number;
  /** By what a reply is matched to its request. Default: the correlation header. */
  readonly match?: 'header' | 'key';
  /** Whether partitions change with each record, as from many callers, or with batches of them. Default `records`. */
  readonly spread?: 'records' | 'batches';
  /** A header more, `name:value`. */
  readonly header?: string;
  readonly workload: Workload;
}

/** What came of it; every reply was checked. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** All that were answered, warm-up included. */
  readonly requests: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly wrong: number;
  /** The longest time between two replies, milliseconds. */
  readonly longestGapMs: number;
  /** Of the generator itself. */
  readonly processorSeconds: number;
}

type Printed = Omit<LoadResult, 'requestsPerSecond'> & {
  readonly measured: number;
  readonly seconds: number;
};

const SOURCE = fileURLToPath(new URL('../../../bench/generator/load.c', import.meta.url));
const SLACK_MS = 60_000;
const DRAIN_MS = 30_000;

/** A generator of load in C: one in JavaScript would take more processor time than what it measures. */
export class Generator {
  readonly #folder = mkdtempSync(join(tmpdir(), 'partitura-bench-'));
  readonly #program = join(this.#folder, 'load');

  /** @throws Error that says what is missing */
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
        // Without the cause: it quotes the whole command.
        if (error) reject(new Error(`the generator failed: ${stderr || `exit code ${error.code}`}`));
        else resolve(stdout);
      });
    });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
