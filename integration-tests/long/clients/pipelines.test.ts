import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { loadDigits, mostLikely } from '../../../examples/digits/dataset.js';
import { ExampleClients, noJava } from '../../support/example-clients.js';

/** Rows that the counting programs send, from the first. */
const COUNTED = 200;
const CONNECTED = 10;

let clients: ExampleClients;
/** Predicted digits of the rows. */
let predictedDigits: number[];

describe('pipelines through the cluster', { skip: noJava }, () => {
  before(async () => {
    clients = await ExampleClients.start();
    const pixels = loadDigits().pixels.slice(0, COUNTED);
    const { outputs } = await (
      await clients.harness.client()
    ).predict('digits', { pixels: pixels.map((row) => [...row]) });
    const probabilities = outputs['probabilities']?.data as Float32Array;
    predictedDigits = pixels.map((_, row) => mostLikely(probabilities.subarray(row * 10, row * 10 + 10)));
  });
  after(() => clients.close());

  /** Returns the expected output of the counting programs. */
  function counts(): string[] {
    return [...'0123456789'].map(
      (digit) => `${digit} ${predictedDigits.filter((taken) => taken === Number(digit)).length}`,
    );
  }

  test('Kafka Streams counts predicted digits', async (t) => {
    const project = await clients.copied('kafka-streams');
    const ended = await clients.runMaven(t, 'mvn', '-q', '-f', project, 'compile', 'exec:java');
    if (ended) assert.deepEqual(linesOf(ended.stdout), counts(), ended.stdout + ended.stderr);
  });

  test('Flink counts predicted digits', async (t) => {
    const project = await clients.copied('flink');
    const ended = await clients.runMaven(t, 'mvn', '-q', '-f', project, 'compile', 'exec:exec');
    if (ended) assert.deepEqual(linesOf(ended.stdout), counts(), ended.stdout + ended.stderr);
  });

  test('Kafka Connect reads digits from a file and writes predictions to a file', async (t) => {
    const ended = await clients.runMaven(t, join(await clients.copied('kafka-connect'), 'run.sh'));
    if (!ended) return;
    const { labels } = loadDigits();
    const expected = predictedDigits
      .slice(0, CONNECTED)
      .map((taken, row) => `line ${row + 1}, a ${labels[row]}, classified as ${taken}`);
    assert.deepEqual(linesOf(ended.stdout), expected, ended.stdout + ended.stderr);
  });
});

/** Removes the trailing escape sequence of Maven, which resets colors. */
function linesOf(stdout: string): string[] {
  return stripVTControlCharacters(stdout).trim().split('\n');
}
