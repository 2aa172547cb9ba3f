import { pino, type Logger } from 'pino';

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

/**
 * One line of JSON for each event, on standard error: standard output belongs to what a command answers.
 * Passwords are redacted wherever a logged object holds one.
 */
export function createLogger(name: string, level: string): Logger {
  const options = {
    name,
    level,
    redact: { paths: SECRETS, censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, pino.destination({ dest: 2, sync: true }));
}
