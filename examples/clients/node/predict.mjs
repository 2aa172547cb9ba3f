// Sends one handwritten digit to a Partitura cluster and prints how probable each digit is.
import { readFile } from 'node:fs/promises';
import { connect } from 'partitura';

const requestFile = new URL('../../digits/request.json', import.meta.url);
const [{ data: pixels }] = JSON.parse(await readFile(requestFile, 'utf8')).inputs;

const client = await connect({ brokers: process.env.KAFKA_BROKERS || '127.0.0.1:9092' });
try {
  const { node, version, outputs } = await client.predict(
    'digits',
    { pixels: { data: Float32Array.from(pixels), shape: [1, 64] } },
    { timeoutMs: 30_000 },
  );
  console.log(`digits version ${version}, answered by ${node}`);
  outputs.probabilities.data.forEach((probability, digit) => console.log(digit, probability.toFixed(4)));
} catch (error) {
  // A PartituraError of the cluster has a code; a NoReplyError says why there was no reply at all.
  console.error(`${error.code ?? error.reason}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.close();
}
