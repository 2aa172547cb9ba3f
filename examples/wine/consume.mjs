// Reads the topic wine.cultivars with its schema from the registry, and prints how many wines were classified correctly.
import { readFile } from 'node:fs/promises';
import avro from 'avsc';
import { Kafka, logLevel } from 'kafkajs';

const TOPIC = 'wine.cultivars';
const { KAFKA_BROKERS = '127.0.0.1:9092', SCHEMA_REGISTRY_URL = 'http://127.0.0.1:8081/apis/ccompat/v7' } =
  process.env;
const LIMIT_MS = 60_000;

const csv = await readFile(new URL('wine.csv', import.meta.url), 'utf8');
const cultivars = csv
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => ['first', 'second', 'third'][line[0] - 1]);

const types = new Map();
/** Returns the Avro type of a schema id, cached. */
function typeOf(id) {
  if (!types.has(id)) {
    const asked = fetch(`${SCHEMA_REGISTRY_URL}/schemas/ids/${id}`).then((response) => response.json());
    types.set(
      id,
      asked.then(({ schema }) => avro.Type.forSchema(JSON.parse(schema))),
    );
  }
  return types.get(id);
}

const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `wine-reader-${process.pid}` });
await consumer.connect();
await consumer.subscribe({ topic: TOPIC, fromBeginning: true });

const results = [];
const complete = new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error(`${results.length} results within ${LIMIT_MS} ms`)), LIMIT_MS).unref();
  consumer.run({
    eachMessage: async ({ message: { key, value } }) => {
      const type = await typeOf(value.readInt32BE(1));
      const { alcohol, cultivar, confidence } = type.fromBuffer(value.subarray(5));
      const bottle = key.toString();
      const isRight = cultivar === cultivars[Number(bottle.split('-')[1]) - 1];
      results.push({ bottle, alcohol, cultivar, confidence: confidence.toFixed(4), isRight });
      if (results.length === cultivars.length) resolve();
    },
  });
});
await complete.finally(() => consumer.disconnect());
console.table(results.slice(0, 5));
console.log(
  `${results.filter(({ isRight }) => isRight).length} of ${results.length} wines classified correctly`,
);
