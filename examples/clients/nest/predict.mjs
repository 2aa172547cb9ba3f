// Sends one handwritten digit to a Partitura cluster with NestJS's own Kafka client and prints how probable each digit is.
import 'reflect-metadata';
import { readFile } from 'node:fs/promises';
import { ClientKafka } from '@nestjs/microservices';
import { Kafka } from 'kafkajs';
import { lastValueFrom, timeout } from 'rxjs';

const REQUESTS = 'partitura.digits.requests';
const LIMIT_MS = 30_000;
const brokers = (process.env.KAFKA_BROKERS || '127.0.0.1:9092').split(',');
const request = JSON.parse(await readFile(process.argv[2] ?? 'examples/digits/request.json', 'utf8'));

// Replies come on `partitura.digits.requests.reply`: NestJS makes that name, but not the topic.
const admin = new Kafka({ brokers }).admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: `${REQUESTS}.reply` }], waitForLeaders: true });
await admin.disconnect();

const client = new ClientKafka({ client: { clientId: 'digits', brokers }, consumer: { groupId: 'digits' } });
client.subscribeToResponseOf(REQUESTS);
await client.connect();
try {
  const reply = await lastValueFrom(client.send(REQUESTS, request).pipe(timeout(LIMIT_MS)));
  console.log(`digits version ${reply.model_version}, request ${reply.id}`);
  reply.outputs[0].data.forEach((probability, digit) => console.log(`${digit} ${probability.toFixed(4)}`));
} catch (error) {
  console.error(error.code ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
} finally {
  await client.close();
}
