// Generates docs/CONFIGURATION.md from the options in core/config/ (compiled); `--check` only compares.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const { GROUPS, PROCESSES } = await import(new URL('../dist/core/config/processes.js', import.meta.url));

const cell = (text) => String(text).replaceAll('|', '\\|');
const flag = (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const row = ([name, { env, fallback, doc, secret }]) => {
  const initial = fallback === undefined || fallback === '' ? '' : `\`${cell(fallback)}\``;
  return `| \`${env}\` | \`${flag(name)}\` | ${initial} | ${cell(doc)}${secret ? ' (never logged)' : ''} |`;
};

function section(group) {
  const readers = Object.entries(PROCESSES).filter(([, groups]) => groups.includes(group));
  return `## ${group.title}

Read by: ${readers.map(([name]) => name).join(', ')}.

| environment variable | flag | default | meaning |
|---|---|---|---|
${Object.entries(group.options).map(row).join('\n')}
`;
}

const text = `<!-- Generated from core/config/ by scripts/generate-config-docs.mjs: change the options, not this file. -->

# Configuration

All processes accept the same options, in this order of precedence: flags, environment variables, defaults. Invalid values are
rejected at startup, in one error that names every invalid option. The client library accepts the options in camel case:
\`connect({ maxRecordBytes: 2_000_000 })\`.

Each section names the processes that read its options: \`node\` (an inference node, and \`up\` and \`demo\`, which start nodes),
\`cli\` (all other commands) and \`client\` (the client library). The others accept and check them, too, so that one environment
serves all processes. Some commands read a single option of another section and list it in their \`--help\`: \`acls\` and
\`schemas register\` the model repository, \`doctor\` the session timeout.

${GROUPS.map(section).join('\n')}`;

const target = new URL('../docs/CONFIGURATION.md', import.meta.url);
if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
  console.error(
    'docs/CONFIGURATION.md is out of date with core/config/: run `node scripts/generate-config-docs.mjs`',
  );
  process.exit(1);
}
