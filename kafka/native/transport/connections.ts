import { isIP } from 'node:net';
import { Connection, type API, type Broker, type ConnectionOptions } from '../../platformatic/index.js';
import { within } from '../../../core/time.js';
import { KafkaError } from '../../port.js';
import { toKafkaError } from './errors.js';
import { send, type OwnRequest } from '../protocol/send.js';

/** Longer than any request: requests have limits of their own, see `request`. */
const NEVER_MS = 24 * 60 * 60_000;
const REQUEST_TIMEOUT_MS = 15_000;

export type { Broker };

/** Connection settings for every broker of the cluster. */
export type ConnectionSettings = Pick<ConnectionOptions, 'connectTimeout' | 'tls' | 'sasl'> & {
  readonly clientId: string;
  /** Maximum number of requests in flight per connection; the broker answers them in order. */
  readonly maxInflights?: number;
};

/**
 * One connection per broker, opened on first use. A broker answers the requests of a connection in order; requests
 * that may wait for data, or for a group to rebalance, use separate `Connections`.
 */
export class Connections {
  readonly #open = new Map<string, Promise<Connection>>();
  /** Connections that are open or being opened. */
  readonly #all = new Set<Connection>();
  /** Number of requests in flight per connection. */
  readonly #inFlight = new Map<Connection, number>();
  /** Connections whose session is about to expire: they accept no new requests. */
  readonly #retired = new WeakSet<Connection>();
  #closed = false;

  constructor(readonly settings: ConnectionSettings) {}

  get closed(): boolean {
    return this.#closed;
  }

  to(broker: Broker): Promise<Connection> {
    if (this.#closed) return Promise.reject(new KafkaError('unavailable', 'closed'));
    const key = `${broker.host}:${broker.port}`;
    const open = this.#open.get(key);
    if (open) return open;
    const connection = this.#create(broker);
    const forget = (): void => {
      if (this.#open.get(key) === opening) this.#open.delete(key);
    };
    const opening = this.#connect(connection, broker, () => {
      this.#all.delete(connection);
      this.#inFlight.delete(connection);
      forget();
    });
    this.#open.set(key, opening);
    connection.reauthenticate = () => {
      forget();
      this.#retire(connection);
    };
    return opening;
  }

  /**
   * Closes a connection after its requests in flight. The library would reauthenticate during them, which brokers
   * refuse (KIP-368); instead, the next request opens another connection, while a fifth of the session time is left.
   */
  #retire(connection: Connection): void {
    this.#retired.add(connection);
    if (!this.#inFlight.has(connection)) cut(connection);
  }

  /** @throws TypeError for TLS options that Node rejects */
  #create({ host }: Broker): Connection {
    const { clientId, ...options } = this.settings;
    return new Connection(clientId, {
      ...options,
      requestTimeout: NEVER_MS,
      ...(options.tls && !isIP(host) ? { tlsServerName: host } : {}),
    });
  }

  async #connect(connection: Connection, { host, port }: Broker, forget: () => void): Promise<Connection> {
    // Otherwise `forget` could run before there is an entry to remove.
    await Promise.resolve();
    // An `error` event without a listener would end the process; pending requests fail anyway.
    connection.on('error', () => undefined);
    connection.once('close', forget);
    this.#all.add(connection);
    try {
      await connection.connect(host, port);
    } catch (error) {
      forget();
      cut(connection);
      throw toKafkaError(error);
    }
    return connection;
  }

  /**
   * Sends one of the library's requests.
   * @throws KafkaError `unavailable` after `limitMs`; otherwise the library's error
   */
  request<A extends unknown[], R>(
    broker: Broker,
    api: API<A, R>,
    args: A,
    limitMs = REQUEST_TIMEOUT_MS,
  ): Promise<R> {
    return this.#limited(broker, limitMs, (connection) => api.async(connection, ...args));
  }

  /** Sends one of our own requests, with the same timeout behavior. */
  send<R>(broker: Broker, request: OwnRequest<R>, limitMs: number): Promise<R> {
    return this.#limited(broker, limitMs, (connection) => send(connection, request));
  }

  /**
   * Applies a timeout. After a timed-out request the library never reads its response and then stalls on all later
   * ones of that connection, so the connection is closed instead.
   */
  async #limited<R>(
    broker: Broker,
    limitMs: number,
    ask: (connection: Connection) => Promise<R>,
  ): Promise<R> {
    const connection = await this.to(broker);
    this.#inFlight.set(connection, (this.#inFlight.get(connection) ?? 0) + 1);
    try {
      return await within(limitMs, ask(connection), () => {
        cut(connection);
        return new KafkaError(
          'unavailable',
          `${broker.host}:${broker.port} did not answer within ${limitMs} ms`,
        );
      });
    } finally {
      this.#ended(connection);
    }
  }

  #ended(connection: Connection): void {
    const left = (this.#inFlight.get(connection) ?? 0) - 1;
    if (left > 0) return void this.#inFlight.set(connection, left);
    this.#inFlight.delete(connection);
    if (this.#retired.has(connection)) cut(connection);
  }

  /** Closes all connections at once; pending requests fail. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) cut(connection);
    this.#all.clear();
    this.#open.clear();
  }
}

/**
 * Closes a connection without waiting for the peer, which may be gone; the library's own `close` would wait. A
 * connection being opened has a socket only once it has begun to connect.
 */
function cut(connection: Connection): void {
  const socket = connection.socket as Connection['socket'] | undefined;
  void connection.close();
  socket?.destroy();
}
