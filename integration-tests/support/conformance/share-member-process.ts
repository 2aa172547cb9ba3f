import { createLogger } from '../../../core/log.js';
import { checkConfig } from '../../../core/config/config.js';
import { createKafkaClient } from '../../../kafka/client.js';
import { hold, ShareMember } from './share-member.js';

/** A member of a share group in a process of its own, which can be killed; it holds what it receives. */
const [, , brokers = '', topic = '', group = ''] = process.argv;
const client = createKafkaClient(
  checkConfig({ brokers, kafkaClient: 'native' }),
  'doomed',
  createLogger('doomed', 'silent'),
);
const consumer = client.shareConsumer({ group, topic, fetchMaxBytes: 4_000_000 });
const member = new ShareMember(consumer, {
  decide: (delivered) => {
    process.send?.(String(delivered.record.value));
    return hold();
  },
});
await member.start();
process.send?.('joined');
