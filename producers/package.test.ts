import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../', import.meta.url));
const STATIC_IMPORT = /(?:^|\n)\s*(?:import|export)(?:[^'";]*? from)? '([^']+)'/g;

/** Follows the static imports of a compiled module. @returns own modules relative to dist/, and packages */
async function closureOf(entry: string): Promise<{ own: string[]; packages: string[] }> {
  const own = new Set<string>();
  const packages = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (own.has(file)) return;
    own.add(file);
    for (const [, specifier = ''] of (await readFile(file, 'utf8')).matchAll(STATIC_IMPORT)) {
      if (specifier.startsWith('.')) await visit(join(dirname(file), specifier));
      else if (!specifier.startsWith('node:')) packages.add(specifier);
    }
  };
  await visit(join(DIST, entry));
  return { own: [...own].map((file) => relative(DIST, file)), packages: [...packages] };
}

test('the client library loads neither a runtime of models nor parts of the server', async () => {
  const { own, packages } = await closureOf('producers/index.js');
  assert.ok(own.length > 20);
  assert.deepEqual(
    own.filter((file) => /^(consumers|operations|cli|local-cluster|testing|bench)\//.test(file)),
    [],
  );
  assert.deepEqual(
    packages.filter((name) => /tensorflow|onnxruntime|sdk-node|prom-client|commander/.test(name)),
    [],
  );
});
