import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SchemaRegistry } from '../schemas/registry/client.js';
import { TestRegistry } from '../testing/registry.js';
import { registerSchemas } from './register-schemas.js';
import { topicNames } from './topics.js';

/** Returns the requests made for the subject of requests, in order. */
async function askedOf(knowsRuleBefore: boolean): Promise<string[]> {
  const server = await TestRegistry.start();
  const registry = new SchemaRegistry(server.url);
  for (const subject of ['p.m.requests-value', 'p.m.replies-value']) {
    if (knowsRuleBefore) server.tell('PUT', `/config/${subject}`, { compatibility: 'FULL_TRANSITIVE' });
    server.tell('POST', `/subjects/${subject}/versions`, { id: 1 });
    server.tell('POST', `/subjects/${subject}`, { id: 1, version: 1 });
  }
  try {
    await registerSchemas(registry, topicNames('p'), 'm').catch((error: unknown) => {
      if (knowsRuleBefore) throw error;
    });
    return server.requests
      .filter(({ path }) => path.includes('p.m.requests-value'))
      .map(({ method, path }) => `${method} ${path.split('/')[1]}`);
  } finally {
    registry.close();
    await server.close();
  }
}

test('the compatibility rule is set before a schema is registered, or right after if the subject is new', async () => {
  assert.deepEqual(await askedOf(true), ['PUT config', 'POST subjects', 'POST subjects']);
  assert.deepEqual(await askedOf(false), ['PUT config', 'POST subjects', 'POST subjects', 'PUT config']);
});
