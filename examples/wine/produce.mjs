// Writes the 178 measurements of wine.csv to the topic wine.measurements, as Avro with a schema registry.
import { readFile } from 'node:fs/promises';
import avro from 'avsc';
import { Kafka, logLevel } from 'kafkajs';

const TOPIC = 'wine.measurements';
const { KAFKA_BROKERS = '127.0.0.1:9092', SCHEMA_REGISTRY_URL = 'http://127.0.0.1:8081/apis/ccompat/v7' } =
  process.env;

const csv = await readFile(new URL('wine.csv', import.meta.url), 'utf8');
const [header, ...lines] = csv
  .trim()
  .split('\n')
  .map((line) => line.split(','));
const measurements = header.slice(1);

const schema = {
  type: 'record',
  name: 'WineMeasurement',
  namespace: 'example',
  fields: [
    { name: 'bottle', type: 'string' },
    { name: 'measured_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ...measurements.map((name) => ({ name, type: 'double' })),
  ],
};

/** Registers the schema. @returns its id */
async function register(subject, schema) {
  const response = await fetch(`${SCHEMA_REGISTRY_URL}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  if (!response.ok) throw new Error(`schema registry responded ${response.status}: ${await response.text()}`);
  return (await response.json()).id;
}

const prefix = Buffer.alloc(5); // Confluent's wire format: a zero byte, then the schema id
prefix.writeInt32BE(await register(`${TOPIC}-value`, schema), 1);
const type = avro.Type.forSchema(schema);

const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 4 }], waitForLeaders: true });
await admin.disconnect();

const messages = lines.map(([, ...values], index) => {
  const bottle = `bottle-${index + 1}`;
  const record = Object.fromEntries(measurements.map((name, column) => [name, Number(values[column])]));
  const value = type.toBuffer({ bottle, measured_at: Date.now(), ...record });
  return { key: bottle, value: Buffer.concat([prefix, value]) };
});
const producer = kafka.producer();
await producer.connect();
await producer.send({ topic: TOPIC, messages });
await producer.disconnect();
console.log(`wrote ${messages.length} measurements to ${TOPIC}`);
