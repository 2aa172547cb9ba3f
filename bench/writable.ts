import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from '../kafka/native/transport/cluster.js';
import { produceRequest } from '../kafka/native/protocol/produce.js';
import { writeBatch } from '../kafka/native/protocol/write-batch.js';

const PROBE_INTERVAL_MS = 20;
const PROBE_LIMIT_MS = 60_000;
const REPLICAS_LIMIT_MS = 12_000;
const ANSWER_LIMIT_MS = 15_000;
/** Writes of this producer have no sequence, so that a repeated one is written twice instead of refused. */
const NO_IDENTITY = { id: -1n, epoch: -1, transactional: false };
const NO_SEQUENCE = -1;

/**
 * Waits until all partitions of these topics accept writes on all in-sync replicas, whichever broker leads them. Writes
 * tombstones, which get no reply.
 * @throws Error if a partition stays unwritable
 */
export async function whenWritable(brokers: readonly string[], topics: readonly string[]): Promise<void> {
  const cluster = new Cluster({ clientId: 'bench-probe' }, brokers);
  try {
    const found = await Promise.all(topics.map((topic) => cluster.refresh(topic)));
    await Promise.all(
      found.flatMap(({ name, leaders }) =>
        leaders.map((_, partition) => untilWritten(brokers, name, partition)),
      ),
    );
  } finally {
    cluster.close();
  }
}

/** Uses a connection of its own, because a write that waits for replicas blocks the next ones. */
async function untilWritten(brokers: readonly string[], topic: string, partition: number): Promise<void> {
  const cluster = new Cluster({ clientId: 'bench-probe' }, brokers);
  const end = performance.now() + PROBE_LIMIT_MS;
  try {
    while (!(await isWritten(cluster, topic, partition))) {
      if (performance.now() > end) throw new Error(`${topic} ${partition} is not writable`);
      await sleep(PROBE_INTERVAL_MS);
    }
  } finally {
    cluster.close();
  }
}

async function isWritten(cluster: Cluster, topic: string, partition: number): Promise<boolean> {
  const tombstone = { topic, key: null, value: null, headers: {} };
  const batch = writeBatch([tombstone], NO_IDENTITY, NO_SEQUENCE, Date.now());
  try {
    const { leaders } = await cluster.refresh(topic);
    const request = produceRequest([{ topic, partition, batch }], REPLICAS_LIMIT_MS, null);
    const leader = cluster.broker(leaders[partition]);
    const [written] = await cluster.connections.send(leader, request, ANSWER_LIMIT_MS);
    return written !== undefined && written.error === undefined;
  } catch {
    return false;
  }
}
