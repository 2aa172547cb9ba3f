import type { FastifyInstance } from 'fastify';
import { addDeadLetterRoutes } from './dead-letters/routes.js';
import { addPageRoutes } from './page-routes.js';
import { addRequestRoutes } from './request-routes.js';
import type { ConsoleServices } from './services.js';
import { Sampler } from './live/sampler.js';
import { addViewRoutes } from './view-routes.js';

/** Adds the pages for people, their JSON twins and their event stream. One sampler serves all viewers. */
export function addConsole(app: FastifyInstance, services: ConsoleServices): void {
  const sampler = new Sampler(services);
  addPageRoutes(app);
  addViewRoutes(app, sampler);
  addDeadLetterRoutes(app, services, sampler.reader);
  addRequestRoutes(app, services, sampler.reader);
  app.addHook('onReady', (done) => {
    sampler.start();
    done();
  });
  app.addHook('preClose', () => sampler.close());
}
