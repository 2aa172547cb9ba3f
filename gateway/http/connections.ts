import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';
import { sleep } from '../../core/time.js';

const POLL_MS = 20;
/** Time without requests after which no more are expected, milliseconds: longer than load balancers take to react. */
const QUIET_MS = 1_000;
/** Longest time to wait for callers that keep sending, milliseconds. */
const NOTICE_MS = 10_000;

/**
 * The open connections of a server, so that it can be drained without losing a request. A connection that is closed
 * while its caller sends the next request loses it, and so does a listener that is closed while connections wait to be
 * accepted; so first everybody learns that the server is about to close, and is served until nobody comes any more.
 */
export class Connections {
  readonly #sockets = new Set<Socket>();
  #requests = 0;
  #lastRequestAt = 0;
  #isDraining = false;

  /** Follows the connections and requests of a server. */
  constructor(readonly app: FastifyInstance) {
    const track = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    };
    app.server.on('connection', track);
    app.server.on('secureConnection', track);
    app.addHook('onRequest', (request, reply, done) => {
      // Event streams end with the server; their browsers connect to another one.
      if ('isEndless' in request.routeOptions.config) return done();
      this.#requests++;
      this.#lastRequestAt = Date.now();
      reply.raw.on('close', () => this.#requests--);
      if (this.#isDraining && request.raw.httpVersionMajor === 1) void reply.header('connection', 'close');
      done();
    });
  }

  /** True once draining has begun: load balancers should send requests elsewhere. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Serves until callers stay away, then closes the server and waits at most `limitMs` for requests in flight. */
  async drain(limitMs: number): Promise<void> {
    this.#isDraining = true;
    const noticeUntil = Date.now() + NOTICE_MS;
    while (this.#areCallersAround() && Date.now() < noticeUntil) await sleep(POLL_MS);
    const closed = this.app.close();
    const giveUpAt = Date.now() + limitMs;
    while (this.#requests > 0 && Date.now() < giveUpAt) await sleep(POLL_MS);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #areCallersAround(): boolean {
    return this.#requests > 0 || Date.now() - this.#lastRequestAt < QUIET_MS;
  }
}
