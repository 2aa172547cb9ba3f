import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ConfigInput } from '../../core/config/config.js';
import { Harness } from './harness.js';
import { ROOT, missing, run, type Ended, type RunOptions } from './programs.js';

/** Everything that comes from a package index, the first time. */
export const INSTALL_LIMIT_MS = 120_000;
/** A version that does not exist is none of these: that is wrong in the program. */
const MAVEN_HAS_NO_WAY =
  /Could not transfer|Unknown host|Cannot access .* in offline mode|No plugin found for prefix/;

/** Why Java programs can't be had here; false when they can. */
export const noJava = (await missing(['java', '-version'], ['mvn', '-v'])) ?? false;

/** The programs of `examples/clients`, run as their users run them, and a cluster that serves the digits to them. */
export class ExampleClients {
  private constructor(
    readonly harness: Harness,
    /** For what belongs to no checkout. */
    readonly folder: string,
  ) {}

  static async start(settings: ConfigInput = {}): Promise<ExampleClients> {
    const folder = await mkdtemp(join(tmpdir(), 'partitura-clients-'));
    const harness = await Harness.start(['digits'], settings);
    await harness.node();
    return new ExampleClients(harness, folder);
  }

  /** Programs that bring packages have them in a folder of their own, away from ours. */
  async copied(client: string): Promise<string> {
    const project = join(this.folder, client);
    await cp(join(ROOT, 'examples/clients', client), project, { recursive: true });
    return project;
  }

  run(command: string, args: readonly string[], { env = {}, ...options }: RunOptions = {}): Promise<Ended> {
    const KAFKA_BROKERS = this.harness.broker.bootstrap;
    return run(command, args, { env: { KAFKA_BROKERS, ...env }, ...options });
  }

  /** As `run`, of what calls Maven. Undefined, and the test skipped with the reason, where Maven has no way to the packages. */
  async runMaven(t: TestContext, command: string, ...args: readonly string[]): Promise<Ended | undefined> {
    const ended = await this.run(command, args, { limitMs: INSTALL_LIMIT_MS });
    if (!MAVEN_HAS_NO_WAY.test(ended.stdout)) return ended;
    t.skip(`Maven can't get the packages here: ${ended.stdout}`);
    return undefined;
  }

  /** A request with a pixel too few, as a file. */
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

/** What the program printed is that the request was a zero. */
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

/** How a request with a pixel too few is refused. */
export const TOO_SHORT = /SHAPE_MISMATCH: .*expected shape \[-1,64\], got \[1,63\]/;
