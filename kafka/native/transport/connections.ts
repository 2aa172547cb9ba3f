import { isIP } from 'node:net';
import { Connection, type API, type Broker, type ConnectionOptions } from '@platformatic/kafka';
import { within } from '../../../core/time.js';
import { KafkaError } from '../../port.js';
import { toKafkaError } from './errors.js';
import { send, type OwnRequest } from '../protocol/send.js';

/** Longer than any request of ours, which have limits of their own: see `request`. */
const NEVER_MS = 24 * 60 * 60_000;
const REQUEST_TIMEOUT_MS = 15_000;

export type { Broker };

/** How to reach any broker of the cluster. */
export type ConnectionSettings = Pick<ConnectionOptions, 'connectTimeout' | 'tls' | 'sasl'> & {
  readonly clientId: string;
  /** Requests that one connection carries at a time; the broker answers them in order. */
  readonly maxInflights?: number;
};

/**
 * One connection for each broker, opened when first asked for. A broker answers the requests of one connection one
 * after the other: what may wait for data, or for a group to gather, has `Connections` of its own.
 */
export class Connections {
  readonly #open = new Map<string, Promise<Connection>>();
  /** Connections that are being opened or open. */
  readonly #all = new Set<Connection>();
  /** How many requests each carries. */
  readonly #underWay = new Map<Connection, number>();
  /** Connections whose session ends soon: they carry no new requests. */
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
      this.#underWay.delete(connection);
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
   * Ends a connection after its requests. The library would log in again on it while they are under way, which brokers
   * refuse (KIP-368); instead the next request opens another, in the fifth of its time that a session has left by then.
   */
  #retire(connection: Connection): void {
    this.#retired.add(connection);
    if (!this.#underWay.has(connection)) cut(connection);
  }

  /** @throws TypeError for options that TLS refuses */
  #create({ host }: Broker): Connection {
    const { clientId, ...options } = this.settings;
    return new Connection(clientId, {
      ...options,
      requestTimeout: NEVER_MS,
      ...(options.tls && !isIP(host) ? { tlsServerName: host } : {}),
    });
  }

  async #connect(connection: Connection, { host, port }: Broker, forget: () => void): Promise<Connection> {
    // Else `forget` could be called before there is anything to forget.
    await Promise.resolve();
    // Nobody else listens, and an `error` event without a listener ends the process; requests under way fail anyway.
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
   * Sends one request of the library's.
   * @throws KafkaError `unavailable` after `limitMs`, else what the library throws
   */
  request<A extends unknown[], R>(
    broker: Broker,
    api: API<A, R>,
    args: A,
    limitMs = REQUEST_TIMEOUT_MS,
  ): Promise<R> {
    return this.#limited(broker, limitMs, (connection) => api.async(connection, ...args));
  }

  /** Sends one request of our own, likewise. */
  send<R>(broker: Broker, request: OwnRequest<R>, limitMs: number): Promise<R> {
    return this.#limited(broker, limitMs, (connection) => send(connection, request));
  }

  /**
   * The library leaves the answer to a request that took too long unread, and then waits for ever at every later
   * answer of that connection: so the connection is given up instead.
   */
  async #limited<R>(
    broker: Broker,
    limitMs: number,
    ask: (connection: Connection) => Promise<R>,
  ): Promise<R> {
    const connection = await this.to(broker);
    this.#underWay.set(connection, (this.#underWay.get(connection) ?? 0) + 1);
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
    const left = (this.#underWay.get(connection) ?? 0) - 1;
    if (left > 0) return void this.#underWay.set(connection, left);
    this.#underWay.delete(connection);
    if (this.#retired.has(connection)) cut(connection);
  }

  /** Ends all connections at once; requests under way fail. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) cut(connection);
    this.#all.clear();
    this.#open.clear();
  }
}

/**
 * The library's own `close` waits for the other end, which may be gone: it is not waited for. One that is being opened has
 * its socket only once it began to connect.
 */
function cut(connection: Connection): void {
  const socket = connection.socket as Connection['socket'] | undefined;
  void connection.close();
  socket?.destroy();
}
