import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy to a local port that can be cut or go silent in both directions without closing connections. */
export class Line {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server = createServer((socket) => this.#carry(socket));
  #state: 'open' | 'cut' | 'silent' = 'open';

  private constructor(readonly target: number) {}

  static async open(port: number, target: number): Promise<Line> {
    const line = new Line(target);
    line.#server.listen(port, '127.0.0.1');
    await once(line.#server, 'listening');
    return line;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #carry(near: Socket): void {
    if (this.#state === 'cut') return void near.destroy();
    const far = connect(this.target, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#pairs.delete(pair);
        if (this.#state !== 'silent') other.destroy();
      });
      one.on('data', (data) => void (this.#state === 'open' && other.write(data)));
    }
  }

  /** Closes all connections, and each new one immediately. */
  cut(): void {
    this.#state = 'cut';
    this.#destroyAll();
  }

  /** Forwards nothing; connections stay open, and new ones are accepted. */
  silence(): void {
    this.#state = 'silent';
  }

  /** Forwards again, over new connections. */
  restore(): void {
    this.#destroyAll();
    this.#state = 'open';
  }

  #destroyAll(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}
