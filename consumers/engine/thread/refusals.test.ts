import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runtimeReason } from './refusals.js';

test('the reason is kept and graph nodes are dropped', () => {
  const message =
    'Session fail to run with error: Matrix size-incompatible: In[0]: [1,63], In[1]: [64,128]\n\t [[{{node MatMul}}]]';
  assert.equal(runtimeReason(message), 'Matrix size-incompatible: In[0]: [1,63], In[1]: [64,128]');
});

test('the first of several root errors is kept', () => {
  const message =
    '2 root error(s) found.\n  (0) INVALID_ARGUMENT: no negative value. [x = ] [-1]\n  (1) CANCELLED: later';
  assert.equal(runtimeReason(message), 'INVALID_ARGUMENT: no negative value.');
});

test('values of a failed assertion are dropped, because they may belong to other callers', () => {
  const message =
    'assertion failed: [x takes no negative value.  ] [Condition x >= 0 did not hold:] [x (x:0) = ] [[1 -1]...]\n\t [[{{node A}}]]';
  assert.equal(runtimeReason(message), 'assertion failed: [x takes no negative value.]');
});

test('advice after the first sentence and on further lines is kept', () => {
  const message =
    "Op type not registered 'Foo' in binary running on h. Make sure the Op is registered.\nElse load its library first.\n\t [[Foo]]\nmore";
  assert.equal(
    runtimeReason(message),
    "Op type not registered 'Foo' in binary running on h. Make sure the Op is registered. Else load its library first.",
  );
});

test('an overlong reason is truncated', () => {
  assert.equal(runtimeReason('x'.repeat(2_000)).length, 1_001);
});
