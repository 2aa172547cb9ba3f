import { startBrokerGroup, type BrokerGroupOptions } from '../../local-cluster/broker-group.js';
import type { LocalBroker } from '../../local-cluster/broker.js';
import type { TestBroker } from './test-broker.js';

/** Starts three real brokers, and returns them both as one cluster and individually. */
export async function startTestBrokerGroup(
  options: BrokerGroupOptions = {},
): Promise<{ readonly group: TestBroker; readonly brokers: readonly LocalBroker[] }> {
  const started = await startBrokerGroup(options);
  const { bootstrap, brokers } = started;
  const each = async (work: (broker: LocalBroker) => Promise<void>): Promise<void> =>
    void (await Promise.all(brokers.map(work)));
  const group: TestBroker = {
    kind: 'embedded',
    bootstrap,
    stop: () => started.stop(),
    kill: () => each((broker) => broker.kill()),
    restart: () => each((broker) => broker.restart()),
  };
  return { group, brokers };
}
