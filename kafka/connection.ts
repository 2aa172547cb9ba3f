import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { PartituraError } from '../schemas/errors.js';
import type { Config } from '../core/config/config.js';

/** Connection settings: the part of the configuration that Kafka clients read, including the client to use. */
export type KafkaConnection = Pick<
  Config,
  | 'kafkaClient'
  | 'brokers'
  | 'saslMechanism'
  | 'saslUsername'
  | 'saslPassword'
  | 'ssl'
  | 'sslCa'
  | 'sslCert'
  | 'sslKey'
  | 'sslKeyPassphrase'
>;

export interface TlsFiles {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/**
 * Reads the certificate authorities and the client's own certificate; returns undefined without TLS.
 * @throws PartituraError INVALID_REQUEST, naming the option whose file cannot be used
 */
export function tlsFiles(
  { ssl, sslCa, sslCert, sslKey, sslKeyPassphrase: passphrase }: KafkaConnection,
  now: () => number = Date.now,
): TlsFiles | undefined {
  if (!ssl) return undefined;
  const files: TlsFiles = {
    ...(sslCa ? { ca: [readCertificates('KAFKA_SSL_CA', sslCa)] } : {}),
    ...(sslCert ? { cert: readCertificates('KAFKA_SSL_CERT', sslCert) } : {}),
    ...(sslKey
      ? { key: readPem('KAFKA_SSL_KEY', sslKey, /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, 'a private key') }
      : {}),
    ...(sslKey && passphrase ? { passphrase } : {}),
  };
  if ((files.cert === undefined) !== (files.key === undefined))
    throw invalid(`KAFKA_SSL_CERT and KAFKA_SSL_KEY belong together: expected both or neither`);
  if (files.cert !== undefined) checkOwnCertificate(files, sslCert ?? '', sslKey ?? '', now());
  return files;
}

function readCertificates(option: string, path: string): string {
  const text = readPem(option, path, /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/, 'a certificate');
  try {
    new X509Certificate(text);
  } catch (cause) {
    throw invalid(
      `${option}: expected a certificate in PEM form in ${path}, got one that cannot be read: ${(cause as Error).message}`,
      cause,
    );
  }
  return text;
}

function readPem(option: string, path: string, begin: RegExp, expected: string): string {
  const text = readText(option, path);
  if (begin.test(text)) return text;
  const got = text.trim() === '' ? 'an empty file' : 'something else';
  throw invalid(`${option}: expected ${expected} in PEM form in ${path}, got ${got}`);
}

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT'
        ? 'does not exist'
        : code === 'EACCES'
          ? 'cannot be read: permission denied'
          : `cannot be read (${message})`;
    throw invalid(`${option}: the file ${path} ${reason}`, cause);
  }
}

function checkOwnCertificate(
  { cert, key, passphrase }: TlsFiles,
  certPath: string,
  keyPath: string,
  now: number,
): void {
  try {
    createSecureContext({ cert, key, passphrase });
  } catch (cause) {
    throw invalid(keyProblem(cause as NodeJS.ErrnoException, certPath, keyPath, passphrase), cause);
  }
  const { validTo } = new X509Certificate(cert ?? '');
  if (Date.parse(validTo) < now)
    throw invalid(`KAFKA_SSL_CERT: the certificate in ${certPath} expired on ${validTo}`);
}

function keyProblem(
  { code = '', message }: NodeJS.ErrnoException,
  certPath: string,
  keyPath: string,
  passphrase: string | undefined,
): string {
  if (/MISMATCH/.test(code))
    return `KAFKA_SSL_KEY: the key in ${keyPath} does not belong to the certificate in ${certPath} (KAFKA_SSL_CERT)`;
  if (/INTERRUPTED_OR_CANCELLED|MISSING_PASSPHRASE|BAD_DECRYPT|BAD_PASS/.test(code))
    return passphrase
      ? `KAFKA_SSL_KEY_PASSPHRASE: does not decrypt the key in ${keyPath}`
      : `KAFKA_SSL_KEY: the key in ${keyPath} is encrypted: set KAFKA_SSL_KEY_PASSPHRASE`;
  return `KAFKA_SSL_KEY: the key in ${keyPath} cannot be used: ${message}`;
}

function invalid(message: string, cause?: unknown): PartituraError {
  return new PartituraError('INVALID_REQUEST', message, { cause });
}
