// Fails on wording that docs/GLOSSARY.md and CONTRIBUTING.md rule out, in comments, messages, test names and documents.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';
import { trackedFiles } from './tracked-files.mjs';

/** Texts in which a word is meant: code that the rule is about, quotes of other programs, and history. */
const EXEMPT =
  /^(scripts\/checks\/words\.mjs|CHANGELOG\.md|docs\/COMPATIBILITY\.md|examples\/clients\/|package-lock\.json|bench\/results\/)/;

const RULES = [
  [
    /(?:\/\*\*|^\s*\*|\/\/)\s+(?:What|Whoever|Whether|Where|How|Who|Why|Which)\b(?!.*\?)/,
    'a comment starts with a verb (function) or a noun (type)',
  ],
  [/\bstrangers?\b/i, 'write "external", "foreign client" or "sender"'],
  [
    /\b(?:is|are|was|were|be|been|being|gets?) told\b|\btold\b/i,
    'write "notified", "called", "reported" or "logged"',
  ],
  [/\b(?:go|goes|going|went) on\b/i, 'write "continue", "retry" or "keep"'],
  [/\banew\b/i, 'write "again", "recreated" or "restart"'],
  [/\bwhoever\b/i, 'name the caller, owner or sender'],
  [/\bsigns? of life\b/i, 'write "heartbeat"'],
  [/\btried on\b|\btries on\b/i, 'write "retrying"'],
  [/\bmade up\b/i, 'write "generated"'],
  [/\btaken for\b/i, 'write "treated as" or "considered"'],
  [/\bby the way\b|\bat hand\b|\bby itself alone\b/i, 'write plainly'],
  [/\bcan not\b/i, 'write "cannot"'],
  [/['"`].*\bcan't\b.*['"`]/, 'write "cannot" in messages'],
  [
    /\b(?:summaris|recognis|initialis|normalis|optimis|serialis|organis|authoris)(?:e|es|ed|ing|ation)\b|\bbehaviour\b|\bcolour\b/i,
    'use American spelling',
  ],
];

const offences = trackedFiles(/\.(ts|mjs|md|avsc|sh)$/)
  .filter((path) => !EXEMPT.test(path))
  .flatMap((path) => offencesIn(path, readFileSync(join(root, path), 'utf8')));

function offencesIn(path, text) {
  return text
    .split('\n')
    .flatMap((line, index) =>
      RULES.filter(([pattern]) => pattern.test(line)).map(
        ([, advice]) => `${path}:${index + 1}: ${advice}: ${line.trim().slice(0, 140)}`,
      ),
    );
}

for (const offence of offences) console.error(offence);
if (offences.length > 0) {
  console.error(`words: ${offences.length} lines to rewrite`);
  process.exit(1);
}
