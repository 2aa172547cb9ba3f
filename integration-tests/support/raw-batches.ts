import { Cluster } from '../../kafka/native/transport/cluster.js';
import { produceRequest } from '../../kafka/native/protocol/produce.js';

const LIMIT_MS = 60_000;

/** Sends one encoded batch unchanged, like a foreign producer. @throws Error if the broker rejects it */
export async function sendBatch(
  bootstrap: string,
  topic: string,
  partition: number,
  batch: Buffer,
): Promise<void> {
  const cluster = new Cluster({ clientId: 'raw-batches', connectTimeout: 3_000 }, [bootstrap]);
  await cluster.connect();
  try {
    const { leaders } = await cluster.refresh(topic);
    const request = produceRequest([{ topic, partition, batch }], LIMIT_MS, null);
    const [answer] = await cluster.connections.send(cluster.broker(leaders[partition]), request, LIMIT_MS);
    if (answer?.error !== undefined) throw new Error(`${answer.error}: ${answer.detail}`);
  } finally {
    cluster.close();
  }
}
