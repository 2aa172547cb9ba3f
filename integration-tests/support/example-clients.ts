import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ConfigInput } from '../../core/config/config.js';
import { Harness } from './harness.js';
import { ROOT, missing, run, type Ended, type RunOptions } from './programs.js';

/** Limit on the first installation from a package index. */
export const INSTALL_LIMIT_MS = 120_000;
/** Network errors of Maven. A missing version is not among them: that is an error in the program. */
const MAVEN_HAS_NO_WAY =
  /Could not transfer|Unknown host|Cannot access .* in offline mode|No plugin found for prefix/;

/** Reason to skip Java programs; false if they can run. */
export const noJava = (await missing(['java', '-version'], ['mvn', '-v'])) ?? false;

/** Runs the programs of `examples/clients` like their users, on a cluster that serves the digits model. */
export class ExampleClients {
  private constructor(
    readonly harness: Harness,
    /** A folder outside the checkout. */
    readonly folder: string,
  ) {}

  static async start(settings: ConfigInput = {}): Promise<ExampleClients> {
    const folder = await mkdtemp(join(tmpdir(), 'partitura-clients-'));
    const harness = await Harness.start(['digits'], settings);
    await harness.node();
    return new ExampleClients(harness, folder);
  }

  /** Copies a program, so that its packages are installed in a separate folder. */
  async copied(client: string): Promise<string> {
    const project = join(this.folder, client);
    await cp(join(ROOT, 'examples/clients', client), project, { recursive: true });
    return project;
  }

  run(command: string, args: readonly string[], { env = {}, ...options }: RunOptions = {}): Promise<Ended> {
    const KAFKA_BROKERS = this.harness.broker.bootstrap;
    return run(command, args, { env: { KAFKA_BROKERS, ...env }, ...options });
  }

  /** Runs a Maven command. Returns undefined and skips the test if Maven cannot reach its repository. */
  async runMaven(t: TestContext, command: string, ...args: readonly string[]): Promise<Ended | undefined> {
    const ended = await this.run(command, args, { limitMs: INSTALL_LIMIT_MS });
    if (!MAVEN_HAS_NO_WAY.test(ended.stdout)) return ended;
    t.skip(`Maven cannot fetch the packages: ${ended.stdout}`);
    return undefined;
  }

  /** Writes a request with one pixel too few to a file. */
  async tooShort(): Promise<string> {
    const file = join(this.folder, 'too-short.json');
    const data = Array<number>(63).fill(0);
    const request = { inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 63], data }] };
    await writeFile(file, JSON.stringify(request));
    return file;
  }

  async close(): Promise<void> {
    await this.harness.close();
    await rm(this.folder, { recursive: true });
  }
}

/** Asserts that the program classified the request as a zero. */
export function assertZero({ code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, stdout + stderr);
  const lines = stdout.match(/^\d [01]\.\d{4}$/gm) ?? [];
  assert.deepEqual(
    lines.map((line) => line[0]),
    [...'0123456789'],
    stdout,
  );
  const [zero = 0, ...others] = lines.map((line) => Number(line.slice(2)));
  assert.ok(zero > 0.99 && others.every((other) => other < 0.01), stdout);
}

/** Error for a request with one pixel too few. */
export const TOO_SHORT = /SHAPE_MISMATCH: .*expected shape \[-1,64\], got \[1,63\]/;
