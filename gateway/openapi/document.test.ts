import assert from 'node:assert/strict';
import { subscribe } from 'node:diagnostics_channel';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { checkConfig } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { createKafkaClient } from '../../kafka/client.js';
import { Authenticator } from '../auth/authenticator.js';
import { ClusterLink } from '../cluster-link.js';
import { pageServices } from '../gateway.js';
import { createHttpServer } from '../http/server.js';
import { Inferences } from '../inference/inferences.js';
import { GatewayMetrics } from '../metrics.js';
import { ServedModels } from '../models/served-models.js';
import { openApiDocument } from './document.js';
import { routeOf } from './operation.js';
import { OPERATIONS } from './operations/index.js';

/** Routes that the document leaves out: refusals, another spelling of a path, and the pages with their own data. */
const LEFT_OUT =
  /^\w+ (\/v2\/(system|cuda|tpu)sharedmemory\/\*|\/V1\/\*|\/|\/console|\/console\/(\*|assets\/.*|api\/\*))$/;
const DOCUMENTED = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'];

interface Document {
  readonly paths: Record<string, Record<string, { operationId: string; security?: object[] }>>;
  readonly security: object[];
  readonly components: { readonly schemas: Record<string, object>; readonly securitySchemes?: object };
}

let app: FastifyInstance;
let closeModels: () => void;
const routes = new Set<string>();

before(async () => {
  // Fastify names its routes to hooks that are added before them only.
  subscribe('fastify.initialization', (message) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.add(`${one} ${url}`);
    });
  });
  const config = checkConfig({ brokers: '127.0.0.1:1', logLevel: 'silent' });
  const log = createLogger('gateway', 'silent');
  const link = new ClusterLink(config, createKafkaClient(config, 'test', log), log);
  const models = new ServedModels(link.nodes, link.directives);
  const metrics = new GatewayMetrics(() => 0);
  const server = createHttpServer({
    config,
    models,
    log,
    inferences: new Inferences(link.channel, models, () => 0),
    directives: link.directives,
    control: link.control,
    deferred: link.deferred,
    jobs: link.jobs,
    authenticator: new Authenticator(config, log),
    metrics,
    pages: { ...pageServices(link, log), registry: metrics.registry },
  });
  closeModels = () => models.close();
  ({ app } = server);
  await app.ready();
});
after(async () => {
  closeModels();
  await app.close();
});

test('every route is in the document, and every operation has a route', () => {
  const isDocumented = (route: string): boolean =>
    DOCUMENTED.includes(route.split(' ', 1)[0] ?? '') && !LEFT_OUT.test(route);
  assert.deepEqual([...new Set(OPERATIONS.map(routeOf))].sort(), [...routes].filter(isDocumented).sort());
});

test('ids of operations are unique, and all references lead to a schema', () => {
  const ids = OPERATIONS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const { schemas } = documentOf(false).components;
  const references = JSON.stringify(documentOf(false)).matchAll(/"\$ref":"([^"]*)"/g);
  const names = [...references].map(([, reference]) => reference?.replace('#/components/schemas/', '') ?? '');
  assert.ok(names.length > OPERATIONS.length);
  for (const name of names) assert.ok(Object.hasOwn(schemas, name), name);
});

test('with authentication, everything but health needs a credential', () => {
  const { paths, security, components } = documentOf(true);
  assert.deepEqual(security, [{ bearer: [] }, { apiKey: [] }, { basic: [] }]);
  assert.ok(components.securitySchemes);
  const open = Object.entries(paths).filter(([, { get }]) => get?.security?.length === 0);
  assert.deepEqual(open.map(([path]) => path).sort(), [
    '/healthz',
    '/readyz',
    '/v2/health/live',
    '/v2/health/ready',
  ]);
  assert.deepEqual(documentOf(false).security, []);
});

test('the document is served', async () => {
  const { statusCode, body } = await app.inject('/openapi.json');
  assert.equal(statusCode, 200);
  assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(openApiDocument(false))));
});

function documentOf(isSecured: boolean): Document {
  return openApiDocument(isSecured) as Document;
}
