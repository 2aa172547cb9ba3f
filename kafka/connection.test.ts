import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkConfig, type ConfigInput } from '../core/config/config.js';
import { tlsFiles } from './connection.js';

const DAY_MS = 24 * 60 * 60_000;
let folder: string;
const at = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'partitura-tls-'));
  for (const name of ['a', 'b'])
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`],
      ...['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
    );
  openssl('pkcs8', '-topk8', '-passout', 'pass:secret', '-in', at('a.key'), '-out', at('locked.key'));
  writeFileSync(at('empty.pem'), '');
  writeFileSync(at('text.pem'), 'no certificate');
  writeFileSync(at('broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
});
after(() => rmSync(folder, { recursive: true }));

const read = (options: ConfigInput, now = Date.now()): unknown =>
  tlsFiles(checkConfig({ ssl: true, ...options }), () => now);

test('valid TLS files are read', () => {
  assert.equal(tlsFiles(checkConfig({ sslCa: at('none') })), undefined, 'without TLS, files are not read');
  assert.ok(read({ sslCa: at('b.pem'), sslCert: at('a.pem'), sslKey: at('a.key') }));
  const key = { sslCert: at('a.pem'), sslKey: at('locked.key'), sslKeyPassphrase: 'secret' };
  assert.ok(read(key));
});

test('an unusable file is reported in one sentence that names its option', () => {
  const pair = (sslCert: string, sslKey: string, sslKeyPassphrase?: string): ConfigInput => ({
    sslCert: at(sslCert),
    sslKey: at(sslKey),
    sslKeyPassphrase,
  });
  const cases: [ConfigInput, RegExp][] = [
    [{ sslCa: at('gone.pem') }, /^KAFKA_SSL_CA: the file .* does not exist$/],
    [{ sslCa: folder }, /^KAFKA_SSL_CA: the file .* cannot be read/],
    [{ sslCa: at('empty.pem') }, /^KAFKA_SSL_CA: expected a certificate .*, got an empty file$/],
    [{ sslCa: at('text.pem') }, /^KAFKA_SSL_CA: expected a certificate .*, got something else$/],
    [{ sslCa: at('broken.pem') }, /^KAFKA_SSL_CA: expected a certificate .* cannot be read/],
    [{ sslCert: at('a.pem') }, /^KAFKA_SSL_CERT and KAFKA_SSL_KEY belong together/],
    [pair('a.pem', 'b.key'), /^KAFKA_SSL_KEY: .* does not belong to the certificate .*KAFKA_SSL_CERT/],
    [pair('a.pem', 'a.pem'), /^KAFKA_SSL_KEY: expected a private key/],
    [pair('a.pem', 'locked.key'), /^KAFKA_SSL_KEY: .* is encrypted: set KAFKA_SSL_KEY_PASSPHRASE$/],
    [pair('a.pem', 'locked.key', 'wrong'), /^KAFKA_SSL_KEY_PASSPHRASE: does not decrypt/],
  ];
  for (const [options, message] of cases)
    assert.throws(() => read(options), { code: 'INVALID_REQUEST', message });
  const later = Date.now() + 3 * DAY_MS;
  assert.throws(() => read(pair('a.pem', 'a.key'), later), /^PartituraError: KAFKA_SSL_CERT: .* expired on/);
});

test(
  'a file without read permission is reported as such',
  { skip: process.getuid?.() === 0 && 'root can read every file' },
  () => {
    chmodSync(at('b.pem'), 0);
    assert.throws(
      () => read({ sslCa: at('b.pem') }),
      /KAFKA_SSL_CA: the file .* cannot be read: permission denied/,
    );
  },
);
