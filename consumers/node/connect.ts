import { ensureTopics } from '../../cluster/ensure-topics.js';
import { clusterTopics } from '../../cluster/topic-specs.js';
import { untilAvailable } from '../../kafka/errors/until-available.js';
import type { Foundation } from './foundation.js';

/** Time that available brokers get to answer a node that connects, milliseconds. */
const FIRST_ANSWER_MS = 1_000;

/** Connects, and creates the topics of the cluster where they are missing. Waits for brokers that are unavailable. @throws KafkaError */
export async function connect({
  producer,
  admin,
  outage,
  lifecycle,
  config,
  log,
}: Foundation): Promise<void> {
  const open = (): Promise<unknown> => Promise.all([producer.connect(), admin.connect()]);
  await untilAvailable(open, outage, lifecycle.closing, FIRST_ANSWER_MS);
  const ensure = (): ReturnType<typeof ensureTopics> => ensureTopics(admin, clusterTopics(config));
  for (const { topic, error } of await untilAvailable(ensure, outage, lifecycle.closing))
    log.debug({ topic, err: error }, 'topic cannot be created; assuming that it exists');
}
