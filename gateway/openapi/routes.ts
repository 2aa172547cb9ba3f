import type { FastifyInstance } from 'fastify';
import type { GatewayServices } from '../dialects/rest-dialect.js';
import { openApiDocument } from './document.js';

/** Adds `/openapi.json`. */
export function addOpenApi(app: FastifyInstance, { authenticator }: GatewayServices): void {
  const document = openApiDocument(authenticator.isRequired);
  app.get('/openapi.json', () => document);
}
