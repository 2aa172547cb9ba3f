import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface LoadOptions {
  readonly brokers: readonly string[];
  readonly requestTopic: string;
  readonly replyTopic: string;
  readonly partitions: number;
  readonly inflight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Record values to send, in turn; at most 64. */
  readonly values: readonly Buffer[];
  /** Whether a reply to `values[index]` is right; asked for every fiftieth. */
  readonly isRight: (index: number, value: Buffer) => boolean;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** All that were answered, warm-up included. */
  readonly requests: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly checked: number;
  readonly wrong: number;
  /** Of the generator itself. */
  readonly processorSeconds: number;
}

/** What the program prints. */
interface Printed {
  readonly measured: number;
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly processorSeconds: number;
  readonly samples: readonly (readonly [index: number, hex: string])[];
}

const SOURCE = fileURLToPath(new URL('../../../bench/generator/load.c', import.meta.url));
const SLACK_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** A generator of load in C: one in JavaScript would take more processor time than what it measures. */
export class Generator {
  readonly #folder = mkdtempSync(join(tmpdir(), 'partitura-bench-'));
  readonly #program = join(this.#folder, 'load');

  /** @throws Error that says what is missing */
  constructor() {
    try {
      execFileSync('cc', ['-O2', '-o', this.#program, SOURCE, '-lrdkafka'], { stdio: 'pipe' });
    } catch (cause) {
      this.close();
      const missing =
        "the benchmark needs a C compiler and librdkafka's headers (Debian: gcc, librdkafka-dev)";
      throw new Error(missing, { cause });
    }
  }

  /** Keeps `inflight` requests under way: each reply sends the next. */
  async run(options: LoadOptions): Promise<LoadResult> {
    const { brokers, requestTopic, replyTopic, partitions, inflight, warmUpMs, measureMs } = options;
    const files = options.values.map((value, index) => this.#write(`value-${index}`, value));
    const numbers = [partitions, inflight, warmUpMs, measureMs].map(String);
    const limitMs = warmUpMs + measureMs + SLACK_MS;
    const output = await this.#execute(
      [brokers.join(','), requestTopic, replyTopic, ...numbers, ...files],
      limitMs,
    );
    const { measured, seconds, samples, ...rest } = JSON.parse(output) as Printed;
    const wrong = samples.filter(([index, hex]) => !options.isRight(index, Buffer.from(hex, 'hex'))).length;
    return { ...rest, requestsPerSecond: measured / seconds, checked: samples.length, wrong };
  }

  #write(name: string, value: Buffer): string {
    const file = join(this.#folder, name);
    writeFileSync(file, value);
    return file;
  }

  #execute(args: readonly string[], timeout: number): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(this.#program, args, { timeout, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
        if (error) reject(new Error(`the generator failed: ${stderr || error.message}`, { cause: error }));
        else resolve(stdout);
      });
    });
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
