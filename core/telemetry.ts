import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { PartituraError } from '../schemas/errors.js';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Creates a registry with the process's own metrics (memory, event loop, processor time). */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface HealthProbe {
  /** False if only a restart can help the process. */
  healthy(): boolean;
  /** True while requests are served. */
  ready(): boolean;
  /** Human-readable basis of both states. */
  details(): object;
}

export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz`.
 * @param port 0: any free port
 * @throws PartituraError INVALID_REQUEST if the port is in use
 */
export async function serveHealth(
  host: string,
  port: number,
  registry: Registry,
  probe: HealthProbe,
): Promise<HealthServer> {
  const server = createServer((request, response) => void answer(request, response, registry, probe));
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  registry: Registry,
  probe: HealthProbe,
): Promise<void> {
  const path = request.url?.split('?')[0];
  if (path === '/metrics') {
    send(response, 200, registry.contentType, await registry.metrics());
  } else if (path === '/healthz' || path === '/readyz') {
    const good = path === '/healthz' ? probe.healthy() : probe.ready();
    send(response, good ? 200 : 503, 'application/json', JSON.stringify({ ok: good, ...probe.details() }));
  } else {
    send(
      response,
      404,
      'application/json',
      JSON.stringify({ error: 'expected /metrics, /healthz or /readyz' }),
    );
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType }).end(body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const inUse =
        cause.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened (${cause.message})`;
      reject(
        new PartituraError(
          'INVALID_REQUEST',
          `port ${port} on ${host} ${inUse}; choose another with --http-port`,
          { cause },
        ),
      );
    });
    server.listen(port, host, resolve);
  });
}
