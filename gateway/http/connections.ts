import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';
import { sleep } from '../../core/time.js';

const POLL_MS = 20;

/** The open connections of a server, so that it can be drained: kept connections would hold it open. */
export class Connections {
  readonly #sockets = new Set<Socket>();
  #requests = 0;

  /** Follows the connections and requests of a server. */
  constructor(app: FastifyInstance) {
    const track = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    };
    app.server.on('connection', track);
    app.server.on('secureConnection', track);
    app.addHook('onRequest', (_request, reply, done) => {
      this.#requests++;
      reply.raw.once('close', () => this.#requests--);
      done();
    });
  }

  /** Waits for the requests in flight, at most `limitMs`, then closes all connections. */
  async drain(limitMs: number): Promise<void> {
    const giveUpAt = Date.now() + limitMs;
    while (this.#requests > 0 && Date.now() < giveUpAt) await sleep(POLL_MS);
    for (const socket of this.#sockets) socket.destroy();
  }
}
