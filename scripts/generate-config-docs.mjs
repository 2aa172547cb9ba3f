// Generates docs/CONFIGURATION.md from the options in core/config/ (compiled); `--check` only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const { OPTIONS } = await import(new URL('../dist/core/config/config.js', import.meta.url));

const cell = (text) => String(text).replaceAll('|', '\\|');
const flag = (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const rows = Object.entries(OPTIONS).map(([name, { env, fallback, doc, secret }]) => {
  const initial = fallback === undefined || fallback === '' ? '' : `\`${cell(fallback)}\``;
  return `| \`${env}\` | \`${flag(name)}\` | ${initial} | ${cell(doc)}${secret ? ' (never logged)' : ''} |`;
});

const text = `<!-- Generated from core/config/ by scripts/generate-config-docs.mjs: change the options, not this file. -->

# Configuration

All processes read the same options, in this order of precedence: flags, environment variables, defaults. Invalid values are
rejected at startup, in one error that names every invalid option. The client library accepts the options in camel case:
\`connect({ maxRecordBytes: 2_000_000 })\`.

| environment variable | flag | default | meaning |
|---|---|---|---|
${rows.join('\n')}
`;

const target = new URL('../docs/CONFIGURATION.md', import.meta.url);
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error(
    'docs/CONFIGURATION.md is out of date with core/config/: run `node scripts/generate-config-docs.mjs`',
  );
  process.exit(1);
}
