import { headerText } from '../../schemas/framing/framing.js';
import { checkConfig, fromEnvironment } from '../../core/config/config.js';
import { Outbox } from '../../kafka/sending/outbox.js';
import { createKafkaClient } from '../../kafka/client.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { createLogger } from '../../core/log.js';
import { topicNames } from '../../cluster/topics.js';

/**
 * Returns every request unchanged, through the same client and the same coalescing as a node, without Avro, model, ledger or
 * checks: the baseline of the comparison. Run by the benchmark as a child process.
 */
const ECHO_MODEL = 'echo';
const config = checkConfig(fromEnvironment(process.env));
const topics = topicNames(config.prefix);
const kafka = createKafkaClient(config, 'bench-echo', createLogger('echo', 'error'));
const producer = kafka.producer();
const outbox = new Outbox(producer);
const consumer = kafka.consumer({
  group: topics.group(ECHO_MODEL),
  topic: topics.requests(ECHO_MODEL),
  from: 'latest',
  sessionTimeoutMs: config.sessionTimeoutMs,
  fetchMaxBytes: config.fetchMaxBytes,
});

const fate = {
  delivered: () => undefined,
  failed: (error: Error) => {
    throw error;
  },
};

function echo(records: readonly KafkaRecord[]): void {
  for (const { key, value, headers } of records) {
    const topic = headerText(headers, 'reply-to') ?? topics.replies(ECHO_MODEL);
    outbox.push(
      { topic, partition: Number(headerText(headers, 'reply-partition')), key, value, headers },
      fate,
    );
  }
}

await producer.connect();
await consumer.start({
  onRecords: echo,
  onAssigned: () => undefined,
  onRevoked: () => Promise.resolve(),
  onCrash: fate.failed,
});
process.stdout.write('ready\n');
process.on('disconnect', () => process.exit(0));
