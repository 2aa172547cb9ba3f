import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type ISocketFactory, type KafkaConfig } from 'kafkajs';
import './find-coordinator.js';
import { within } from '../../core/time.js';
import { KafkaError } from '../port.js';

const KEEP_ALIVE_DELAY_MS = 60_000;
/** How long a call of kafkajs may take with all its retries: a broker that never answers would keep it for minutes. */
const CALL_LIMIT_MS = 30_000;
/** How long kafkajs may take to disconnect in good order. */
const DISCONNECT_LIMIT_MS = 1_000;

/**
 * One instance of kafkajs with the sockets that it opens. kafkajs waits for answers when it is told to disconnect, and its
 * retries cannot be ended from outside: without its sockets, and with no new ones, both come to nothing.
 */
export class Session {
  readonly kafka: kafkajs.Kafka;
  readonly #sockets = new Set<Socket>();
  readonly #cut = new AbortController();

  constructor(config: KafkaConfig) {
    this.kafka = new kafkajs.Kafka({ ...config, socketFactory: this.#open });
  }

  readonly #open: ISocketFactory = ({ host: given, port, ssl, onConnect }) => {
    const host = withColons(given);
    if (this.#cut.signal.aborted) throw new Error('closed');
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  };

  /**
   * Waits for a call of kafkajs, until the session ends.
   * @throws KafkaError `unavailable` when it ends first, or takes longer than `limitMs`; else whatever the call throws
   */
  async run<T>(call: () => Promise<T>, limitMs = CALL_LIMIT_MS): Promise<T> {
    const { signal } = this.#cut;
    if (signal.aborted) throw closed();
    let onCut: () => void = () => undefined;
    const ended = new Promise<never>((_, reject) => (onCut = () => reject(closed())));
    signal.addEventListener('abort', onCut, { once: true });
    try {
      return await within(
        limitMs,
        Promise.race([call(), ended]),
        () => new KafkaError('unavailable', `no answer within ${limitMs} ms`),
      );
    } finally {
      signal.removeEventListener('abort', onCut);
    }
  }

  /** Ends in good order where the broker lets it, and at once where it does not. */
  async end(disconnect: () => Promise<void>, limitMs = DISCONNECT_LIMIT_MS): Promise<void> {
    try {
      await this.run(disconnect, limitMs);
    } catch {
      // A broker that is away finds out by itself.
    } finally {
      this.cut();
    }
  }

  /** Ends all connections; calls under way fail. */
  cut(): void {
    this.#cut.abort();
    for (const socket of this.#sockets) socket.destroy(new Error('closed'));
  }
}

/** kafkajs splits addresses at each colon; those of an IPv6 host are put back when a socket is opened. */
export function withoutColons(address: string): string {
  return address.replace(/^\[.*\]/, (host) => host.replaceAll(':', ';'));
}

function withColons(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1).replaceAll(';', ':') : host;
}

function closed(): KafkaError {
  return new KafkaError('unavailable', 'closed');
}
