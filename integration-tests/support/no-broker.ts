import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Behavior of a server on new connections. */
export type Behavior = 'silent' | 'closes' | 'garbage';

/** A server that accepts connections but is not a Kafka broker. */
export class NoBroker {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#accept(socket));
  accepted = 0;

  private constructor(readonly behavior: Behavior) {}

  static async start(behavior: Behavior): Promise<NoBroker> {
    const server = new NoBroker(behavior);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #accept(socket: Socket): void {
    this.accepted++;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    if (this.behavior === 'closes') socket.destroy();
    else if (this.behavior === 'garbage')
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    else socket.resume();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
