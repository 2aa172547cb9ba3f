import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admin } from './index.js';

test('the options of the high-level clients are still validated, on first use', async () => {
  const admin = new Admin({ clientId: 'lazy', bootstrapBrokers: ['127.0.0.1:1'], strict: true, retries: 0 });
  try {
    await assert.rejects(admin.createTopics({ topics: 'not an array' as never }), /topics.*must be array/);
  } finally {
    await admin.close();
  }
});
