// Generates docs/BENCHMARKS.md from bench/results/ by bench/page.ts (compiled); `--check` only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { renderPage } = await import(new URL('../dist/bench/page.js', import.meta.url));
const { checkConfig } = await import(new URL('../dist/core/config/config.js', import.meta.url));

const text = renderPage(
  fileURLToPath(new URL('../bench/results', import.meta.url)),
  checkConfig({}).kafkaClient,
);
const target = new URL('../docs/BENCHMARKS.md', import.meta.url);
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error(
    'docs/BENCHMARKS.md is out of date with bench/results/: run `node scripts/generate-benchmark-page.mjs`',
  );
  process.exit(1);
}
