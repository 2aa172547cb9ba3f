import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cancellationRecord, MAX_CORRELATIONS, readCancellation } from './cancellations.js';

test('a cancellation is read as it was written', () => {
  const ids = fc.array(fc.string({ minLength: 1, maxLength: 100 }), { maxLength: 50 });
  fc.assert(
    fc.property(ids, (correlations) => {
      assert.deepEqual(readCancellation(cancellationRecord('t', correlations)), correlations);
    }),
  );
});

test('records that are no cancellations name no request', () => {
  const tooMany = JSON.stringify({
    correlations: Array.from({ length: MAX_CORRELATIONS + 1 }, (_, i) => `c${i}`),
  });
  for (const text of ['', 'null', '{', '[]', '{"correlations":[1]}', '{"correlations":[""]}', tooMany])
    assert.deepEqual(readCancellation({ value: Buffer.from(text) }), [], text.slice(0, 40));
  assert.deepEqual(readCancellation({ value: null }), []);
});
