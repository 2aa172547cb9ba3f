import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandLine, type Ready } from './command-line.js';
import { eventually } from './eventually.js';

/** The `partitura` command with its own temporary folder, so that a test sees leftovers. */
export class CommandLineFixture {
  private constructor(
    readonly folder: string,
    readonly cli: CommandLine,
  ) {}

  static async create(): Promise<CommandLineFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'command-line-test-'));
    await mkdir(join(folder, 'tmp'));
    return new CommandLineFixture(folder, new CommandLine({ TMPDIR: join(folder, 'tmp') }));
  }

  /** Lists temporary data that commands have left behind. */
  async leftovers(): Promise<string[]> {
    const names = await readdir(join(this.folder, 'tmp'));
    return names.filter((name) => name.startsWith('partitura'));
  }

  async assertNothingLeft({ nodes, brokers }: Ready): Promise<void> {
    const { cli } = this;
    await eventually('every process of the cluster has ended', () =>
      nodes.every(({ pid }) => !cli.isAlive(pid)),
    );
    await eventually('nothing listens at the broker’s port', () => cli.isSilent(brokers[0] ?? ''));
    await eventually('no temporary folder is left', async () => (await this.leftovers()).length === 0);
  }

  async close(): Promise<void> {
    await this.cli.killAll();
    await rm(this.folder, { recursive: true });
  }
}
