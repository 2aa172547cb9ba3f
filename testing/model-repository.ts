import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * A model repository that is removed after its test. Paths are relative to its root; folders are created on demand.
 */
export class TestRepository {
  private constructor(readonly root: string) {}

  static async create(context: TestContext): Promise<TestRepository> {
    const root = await mkdtemp(join(tmpdir(), 'partitura-models-'));
    context.after(() => rm(root, { recursive: true, force: true }));
    return new TestRepository(root);
  }

  async write(path: string, text = ''): Promise<void> {
    const file = join(this.root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.root, path), { recursive: true });
  }
}
