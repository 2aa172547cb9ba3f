import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaRecord } from '../../kafka/port.js';
import { checkBinding } from './definition.js';
import { bindingRecord, readBindingRecord } from './store.js';

const record = (offset: number, name: string, value: string | null): KafkaRecord => ({
  topic: 'p.bindings',
  partition: 0,
  offset,
  key: Buffer.from(name),
  value: value === null ? null : Buffer.from(value),
  headers: {},
  timestamp: 0,
});

test('a record whose key differs from the name of its binding is refused', () => {
  const definition = checkBinding({
    name: 'wine',
    source: { topic: 'i', format: 'json' },
    model: 'm',
    inputs: { x: ['a'] },
    output: { topic: 'o' },
  });
  const value = String(bindingRecord('p.bindings', definition).value);
  assert.equal(readBindingRecord(record(0, 'wine', value)).applied?.definition.name, 'wine');
  assert.throws(() => readBindingRecord(record(0, 'beer', value)), {
    code: 'INVALID_REQUEST',
    message: "binding: expected the record's key 'beer' as name, got 'wine'",
  });
});
