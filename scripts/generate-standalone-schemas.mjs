// Generates schemas/standalone/: each record of requests and replies as one schema without references, for libraries and
// code generators that read a single file. `--check` only compares.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './setup/paths.mjs';
import { readIfThere } from './setup/stamps.mjs';

const { REPLY_SCHEMA, REQUEST_SCHEMA } = await import(
  new URL('../dist/schemas/registry/self-contained.js', import.meta.url)
);

const records = { InferenceRequest: REQUEST_SCHEMA, InferenceReply: REPLY_SCHEMA };
for (const [name, schema] of Object.entries(records)) {
  const path = join(root, 'schemas', 'standalone', `${name}.avsc`);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (readIfThere(path) === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is out of date: run \`node scripts/generate-standalone-schemas.mjs\``);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
