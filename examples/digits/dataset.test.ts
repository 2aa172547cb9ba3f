import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLASSES, loadDigits, loadExpectations, mostLikely, PIXELS } from './dataset.js';

test('the data set is complete: each row has 64 pixels from 0 to 16 and a digit', () => {
  const { pixels, labels } = loadDigits();
  assert.equal(pixels.length, 1797);
  assert.ok(pixels.every((row) => row.length === PIXELS && row.every((pixel) => pixel >= 0 && pixel <= 16)));
  assert.deepEqual([...new Set(labels)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('the split matches the one used for the expected results of Python', () => {
  const { heldBack } = loadDigits();
  assert.equal(heldBack.filter(Boolean).length, loadExpectations().heldBackRows);
});

test('the samples of the expected results are rows of the data set', () => {
  const { pixels, labels } = loadDigits();
  for (const sample of loadExpectations().samples) {
    assert.deepEqual([...(pixels[sample.row] ?? [])], sample.pixels);
    assert.equal(labels[sample.row], sample.label);
    assert.equal(sample.probabilities.length, CLASSES);
  }
});

test('the predicted digit has the highest probability', () => {
  assert.equal(mostLikely([0.1, 0.2, 0.6, 0.1]), 2);
});
