import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request received by the registry. */
export interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A response; undefined to never respond. */
export type RegistryAnswer = { readonly status: number; readonly body: unknown } | undefined;

/** An HTTP server in place of a registry: returns the responses set by the test and records the requests. */
export class TestRegistry {
  readonly requests: RegistryRequest[] = [];
  /** Responses by method and path; any other request returns 404. */
  readonly answers = new Map<string, RegistryAnswer>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(port = 0): Promise<TestRegistry> {
    const registry = new TestRegistry();
    registry.#server.listen(port, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Adds an Avro schema by id or GUID. */
  has(key: number | string, schema: object, more: object = {}): void {
    const place = typeof key === 'number' ? 'ids' : 'guids';
    this.tell('GET', `/schemas/${place}/${key}`, { schema: JSON.stringify(schema), ...more });
  }

  tell(method: string, path: string, body: unknown, status = 200): void {
    this.answers.set(`${method} ${path}`, { status, body });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = request;
    const text = (await request.toArray()).map(String).join('');
    const { authorization } = headers;
    this.requests.push({ method, path, authorization, body: text === '' ? undefined : JSON.parse(text) });
    const asked = `${method} ${path}`;
    const answer = this.answers.has(asked) ? this.answers.get(asked) : NOT_FOUND;
    if (!answer) return;
    response.writeHead(answer.status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const NOT_FOUND = { status: 404, body: { error_code: 40403, message: 'Schema not found' } };
