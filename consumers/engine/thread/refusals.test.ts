import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstSentence } from './refusals.js';

test('the first sentence is kept, the graph nodes are not', () => {
  const message =
    'Session fail to run with error: Matrix size-incompatible: In[0]: [1,63], In[1]: [64,128]\n\t [[{{node MatMul}}]]';
  assert.equal(firstSentence(message), 'Matrix size-incompatible: In[0]: [1,63], In[1]: [64,128]');
});

test('of several root errors the first is told', () => {
  const message =
    '2 root error(s) found.\n  (0) INVALID_ARGUMENT: no negative value. [x = ] [-1]\n  (1) CANCELLED: later';
  assert.equal(firstSentence(message), 'INVALID_ARGUMENT: no negative value.');
});

test('a point inside a number or a name ends no sentence', () => {
  assert.equal(firstSentence('value 0.5 of saved_model.pb is odd'), 'value 0.5 of saved_model.pb is odd');
});

test('an endless sentence is cut', () => {
  assert.equal(firstSentence('x'.repeat(1000)).length, 301);
});
