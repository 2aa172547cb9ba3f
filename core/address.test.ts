import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress } from './address.js';

test("addresses are parsed as in Java's client and formatted back", () => {
  const cases: [text: string, host: string, port: number][] = [
    ['localhost:9092', 'localhost', 9092],
    ['10.0.0.1:1', '10.0.0.1', 1],
    ['my_broker-1.example.com:65535', 'my_broker-1.example.com', 65_535],
    ['[::1]:9092', '::1', 9092],
    ['[fe80::1%eth0]:9092', 'fe80::1%eth0', 9092],
    ['[::ffff:10.0.0.1]:9092', '::ffff:10.0.0.1', 9092],
  ];
  for (const [text, host, port] of cases) {
    const address = parseAddress(text);
    assert.deepEqual(address, { host, port }, text);
    assert.equal(formatAddress(address), text);
    for (const protocol of ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'sasl_ssl'])
      assert.deepEqual(parseAddress(`${protocol}://${text}`), address);
  }
});

test('invalid addresses are rejected', () => {
  const wrong = [
    ...['', 'h', 'h:', ':9092', 'h:x', 'h:9092/', 'h:0', 'h:65536', 'h:-1', 'h:9092:9092', 'a b:9092'],
    ...[
      'http://h:9092',
      'kafka://h:9092',
      '://h:9092',
      '::1:9092',
      '[::1]',
      '[::1',
      '[h]:9092',
      'u:p@h:9092',
    ],
  ];
  for (const text of wrong) assert.equal(parseAddress(text), undefined, text);
});
