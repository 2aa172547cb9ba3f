import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import kafkajs, { type ISocketFactory, type KafkaConfig } from 'kafkajs';
import './find-coordinator.js';
import { within } from '../../core/time.js';
import { KafkaError } from '../port.js';

const KEEP_ALIVE_DELAY_MS = 60_000;
/** Timeout of a kafkajs call including its retries: a broker that never answers would block it for minutes. */
const CALL_LIMIT_MS = 30_000;
/** Timeout of a graceful disconnect. */
const DISCONNECT_LIMIT_MS = 1_000;

/**
 * A kafkajs instance with the sockets it opens. Disconnecting waits for pending responses, and retries cannot be
 * aborted from outside; destroying its sockets and refusing new ones ends both.
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
   * Waits for a kafkajs call until the session ends.
   * @throws KafkaError `unavailable` if the session ends first or the call exceeds `limitMs`; otherwise any error of
   * the call
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
        () => new KafkaError('unavailable', `no response within ${limitMs} ms`),
      );
    } finally {
      signal.removeEventListener('abort', onCut);
    }
  }

  /** Disconnects gracefully, or at once if the broker does not respond. */
  async end(disconnect: () => Promise<void>, limitMs = DISCONNECT_LIMIT_MS): Promise<void> {
    try {
      await this.run(disconnect, limitMs);
    } catch {
      // An unavailable broker notices by itself.
    } finally {
      this.cut();
    }
  }

  /** Closes all connections; pending calls fail. */
  cut(): void {
    this.#cut.abort();
    for (const socket of this.#sockets) socket.destroy(new Error('closed'));
  }
}

/** Encodes an IPv6 address for kafkajs, which splits addresses at each colon; decoded when a socket is opened. */
export function withoutColons(address: string): string {
  return address.replace(/^\[.*\]/, (host) => host.replaceAll(':', ';'));
}

function withColons(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1).replaceAll(';', ':') : host;
}

function closed(): KafkaError {
  return new KafkaError('unavailable', 'closed');
}
