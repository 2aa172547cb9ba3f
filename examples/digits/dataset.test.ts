import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLASSES, loadDigits, loadExpectations, mostLikely, PIXELS } from './dataset.js';

test('the whole set is there, each row with 64 pixels from 0 to 16 and a digit', () => {
  const { pixels, labels } = loadDigits();
  assert.equal(pixels.length, 1797);
  assert.ok(pixels.every((row) => row.length === PIXELS && row.every((pixel) => pixel >= 0 && pixel <= 16)));
  assert.deepEqual([...new Set(labels)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("the split is the one that Python's expectations were made with", () => {
  const { heldBack } = loadDigits();
  assert.equal(heldBack.filter(Boolean).length, loadExpectations().heldBackRows);
});

test("the expectations' samples are rows of the set", () => {
  const { pixels, labels } = loadDigits();
  for (const sample of loadExpectations().samples) {
    assert.deepEqual([...(pixels[sample.row] ?? [])], sample.pixels);
    assert.equal(labels[sample.row], sample.label);
    assert.equal(sample.probabilities.length, CLASSES);
  }
});

test('the most likely digit is the one with the highest probability', () => {
  assert.equal(mostLikely([0.1, 0.2, 0.6, 0.1]), 2);
});
