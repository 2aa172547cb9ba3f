import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { loadDigits, mostLikely } from '../../../examples/digits/dataset.js';
import { ExampleClients, noJava } from '../../support/example-clients.js';

/** How many of the data, from the first, the programs that count send. */
const COUNTED = 200;
const CONNECTED = 10;

let clients: ExampleClients;
/** What each digit of the data is taken for. */
let takenFor: number[];

describe('streams that go through the cluster', { skip: noJava }, () => {
  before(async () => {
    clients = await ExampleClients.start();
    const pixels = loadDigits().pixels.slice(0, COUNTED);
    const { outputs } = await (
      await clients.harness.client()
    ).predict('digits', { pixels: pixels.map((row) => [...row]) });
    const probabilities = outputs['probabilities']?.data as Float32Array;
    takenFor = pixels.map((_, row) => mostLikely(probabilities.subarray(row * 10, row * 10 + 10)));
  });
  after(() => clients.close());

  /** The lines that the counting programs print. */
  function counts(): string[] {
    return [...'0123456789'].map(
      (digit) => `${digit} ${takenFor.filter((taken) => taken === Number(digit)).length}`,
    );
  }

  test('Kafka Streams counts what digits are taken for', async (t) => {
    const project = await clients.copied('kafka-streams');
    const ended = await clients.runMaven(t, 'mvn', '-q', '-f', project, 'compile', 'exec:java');
    if (ended) assert.deepEqual(linesOf(ended.stdout), counts(), ended.stdout + ended.stderr);
  });

  test('Flink counts what digits are taken for', async (t) => {
    const project = await clients.copied('flink');
    const ended = await clients.runMaven(t, 'mvn', '-q', '-f', project, 'compile', 'exec:exec');
    if (ended) assert.deepEqual(linesOf(ended.stdout), counts(), ended.stdout + ended.stderr);
  });

  test('Kafka Connect brings digits from a file and what they are taken for into a file', async (t) => {
    const ended = await clients.runMaven(t, join(await clients.copied('kafka-connect'), 'run.sh'));
    if (!ended) return;
    const { labels } = loadDigits();
    const expected = takenFor
      .slice(0, CONNECTED)
      .map((taken, row) => `line ${row + 1}, a ${labels[row]}, taken for ${taken}`);
    assert.deepEqual(linesOf(ended.stdout), expected, ended.stdout + ended.stderr);
  });
});

/** Maven ends by switching colours off that it never switched on. */
function linesOf(stdout: string): string[] {
  return stripVTControlCharacters(stdout).trim().split('\n');
}
