import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A TCP proxy to a local port that can be closed: connections end, and new ones are refused. */
export class Gate {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  /** @param host listen address */
  constructor(
    readonly target: number,
    readonly host = '127.0.0.1',
  ) {}

  /** Opens a gate in front of a local server. @returns the gate, and the server's address through it */
  static async inFrontOf(url: string): Promise<{ gate: Gate; url: string }> {
    const { port, pathname } = new URL(url);
    const gate = new Gate(Number(port));
    await gate.open();
    return { gate, url: `http://127.0.0.1:${gate.port}${pathname}` };
  }

  get port(): number {
    return this.#port;
  }

  /** Opens the gate, on the same port each time. */
  async open(): Promise<void> {
    this.#server = createServer((socket) => {
      const onward = connect(this.target, '127.0.0.1');
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => this.#sockets.delete(one));
      }
    });
    this.#server.listen(this.#port, this.host);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
