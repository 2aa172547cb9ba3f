import type { API, Connection } from '@platformatic/kafka';
import type { OutageLink } from '../kafka/errors/outages.js';
import { Cluster } from '../kafka/native/transport/cluster.js';
import { Connections, type Broker } from '../kafka/native/transport/connections.js';
import type { OwnRequest } from '../kafka/native/protocol/send.js';

/** Responses of brokers in tests: `answer` for the library's requests, by their `api`; `send` for our own. */
export interface FakeBrokers {
  answer(api: unknown, args: readonly unknown[], broker: Broker): unknown;
  send?(request: OwnRequest<unknown>, broker: Broker): unknown;
}

class FakeConnections extends Connections {
  constructor(readonly brokers: FakeBrokers) {
    super({ clientId: 'fake' });
  }

  override to(): Promise<Connection> {
    return Promise.resolve({} as Connection);
  }

  override async request<A extends unknown[], R>(broker: Broker, api: API<A, R>, args: A): Promise<R> {
    return (await this.brokers.answer(api, args, broker)) as R;
  }

  override async send<R>(broker: Broker, request: OwnRequest<R>): Promise<R> {
    return (await this.brokers.send?.(request, broker)) as R;
  }
}

/** Creates a cluster whose brokers return the test's responses. */
export function fakeCluster(brokers: FakeBrokers, now?: () => number, outage?: OutageLink): Cluster {
  return new Cluster({ clientId: 'fake' }, ['fake:1'], {
    newConnections: () => new FakeConnections(brokers),
    ...(now && { now }),
    ...(outage && { outage }),
  });
}

/** Builds metadata of topics with the leaders of their partitions (-1 for none). Brokers 1 to 3 are alive. */
export function fakeMetadata(topics: Readonly<Record<string, readonly number[]>>, id = 'id'): unknown {
  return {
    brokers: [1, 2, 3].map((nodeId) => ({ nodeId, host: 'fake', port: nodeId })),
    controllerId: 1,
    topics: Object.entries(topics).map(([name, leaders]) => ({
      name,
      topicId: id,
      errorCode: 0,
      partitions: leaders.map((leaderId, partitionIndex) => ({ partitionIndex, leaderId })),
    })),
  };
}
