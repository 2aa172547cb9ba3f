import { pino, type Logger } from 'pino';
import { printableJson } from './printable.js';

export type { Logger } from 'pino';

const SECRETS = [
  'password',
  'saslPassword',
  'sasl.password',
  '*.password',
  '*.saslPassword',
  'sslKeyPassphrase',
  '*.sslKeyPassphrase',
  'passphrase',
  '*.passphrase',
];

/** Messages quote sender-supplied text, which may be megabytes long. */
const MAX_TEXT_CHARACTERS = 16_384;

/**
 * Creates a logger that writes one line of JSON per event to standard error; standard output is reserved for command
 * output. Passwords are redacted wherever a logged object contains one; sender-supplied text is truncated and safe to
 * print.
 */
export function createLogger(name: string, level: string): Logger {
  const options = {
    name,
    level,
    redact: { paths: SECRETS, censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }), log: cutTexts },
    hooks: { streamWrite: printableJson },
  };
  return pino(options, pino.destination({ dest: 2, sync: true }));
}

function cutTexts(fields: Record<string, unknown>): Record<string, unknown> {
  const isLong = (value: unknown): value is string =>
    typeof value === 'string' && value.length > MAX_TEXT_CHARACTERS;
  if (!Object.values(fields).some(isLong)) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isLong(value) ? `${value.slice(0, MAX_TEXT_CHARACTERS)}…` : value,
    ]),
  );
}
