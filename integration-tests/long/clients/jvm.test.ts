import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ExampleClients, TOO_SHORT, assertZero, noJava } from '../../support/example-clients.js';
import type { Ended } from '../../support/programs.js';

/** Startup of the JVM on a busy host, plus the time limit of the program. */
const RUN_LIMIT_MS = 60_000;
const CHANNEL = 'mp.messaging.outgoing.digits';

let clients: ExampleClients;

describe('callers in Java', { skip: noJava }, () => {
  before(async () => {
    clients = await ExampleClients.start();
  });
  after(() => clients.close());

  /** Returns Maven arguments for programs that run within Maven. */
  const goals = (project: string, ...args: string[]): string[] =>
    ['-q', '-f', project, 'compile', 'exec:java'].concat(
      args.length > 0 ? `-Dexec.args=${args.join(' ')}` : [],
    );

  test('kafka-clients and Avro', async (t) => {
    const ended = await clients.runMaven(t, 'mvn', ...goals(await clients.copied('java')));
    if (ended) assertZero(ended);
  });

  test("Spring's ReplyingKafkaTemplate, and its error handling", async (t) => {
    const project = await clients.copied('spring');
    const ended = await clients.runMaven(t, 'mvn', ...goals(project));
    if (!ended) return;
    assertZero(ended);
    const refused = await clients.runMaven(t, 'mvn', ...goals(project, await clients.tooShort()));
    assert.match(refused?.stdout ?? '', TOO_SHORT);
  });

  test("Quarkus's KafkaRequestReply, with and without a partition, and its error handling", async (t) => {
    const project = await clients.copied('quarkus');
    const built = await clients.runMaven(t, 'mvn', '-q', '-f', project, 'package');
    if (!built) return;
    assert.equal(built.code, 0, built.stdout);
    const program = ['-jar', join(project, 'target/quarkus-app/quarkus-run.jar')];
    const runQuarkus = (...args: string[]): Promise<Ended> =>
      clients.run('java', args, { limitMs: RUN_LIMIT_MS });
    assertZero(await runQuarkus(...program));
    // The default topic of SmallRye if none is configured.
    const topic = 'partitura.digits.requests-replies';
    await clients.harness.withAdmin((admin) =>
      admin.createTopics([{ topic, partitions: 4, replicationFactor: 1 }]),
    );
    const replies = { topic, partition: 2 };
    const settings = Object.entries(replies).map(([name, value]) => `-D${CHANNEL}.reply.${name}=${value}`);
    assertZero(await runQuarkus(...settings, ...program));
    assert.equal((await clients.harness.read(topic)).at(0)?.partition, 2);
    const refused = await runQuarkus(...program, await clients.tooShort());
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, TOO_SHORT);
  });
});
