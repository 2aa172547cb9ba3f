import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { JobStatus } from '../../cluster/jobs/job-status.js';
import type { JobClient } from '../../operations/jobs/job-client.js';
import { Harness } from '../support/harness.js';
import { doubles, finished, partsOf, TASKS } from '../support/jobs.js';

let harness: Harness;
let client: JobClient;
before(async () => {
  harness = await Harness.start(['scale'], {
    jobs: true,
    tasks: TASKS,
    sessionTimeoutMs: 6_000,
    drainTimeoutMs: 5_000,
  });
  client = await harness.jobClient();
});
after(() => harness.close());

const COUNT = 60_000;
const values = [
  doubles(
    'values',
    [COUNT],
    Array.from({ length: COUNT }, (_, index) => Math.sin(index) / 3),
  ),
];

const bitsOf = async (status: JobStatus): Promise<Buffer> => {
  assert.equal(status.state, 'DONE', status.error?.message);
  return Buffer.concat((await partsOf(harness, status)).map(([output]) => output?.data ?? Buffer.alloc(0)));
};

test('a scan has the same bits with one node, and with three of which one is killed together with the coordinator', async () => {
  const job = { kind: 'scan', parameters: { operation: 'sum', block: '60' }, inputs: values };
  await harness.nodeProcess();
  const first = await harness.coordinatorProcess();
  const alone = await bitsOf(await finished(client, job));
  const doomed = await harness.nodeProcess();
  await harness.nodeProcess();
  let isKilled = false;
  const status = await finished(
    client,
    job,
    ({ resultParts }) => {
      if (isKilled || resultParts < 50) return;
      isKilled = true;
      first.kill('SIGKILL');
      doomed.kill('SIGKILL');
      void harness.coordinatorProcess();
    },
    90_000,
  );
  assert.ok(isKilled, 'the job was running when its coordinator was killed');
  assert.ok(alone.equals(await bitsOf(status)));
});

test('a next coordinator continues after the parts that were delivered', async () => {
  const parameters = { parts: '200', sleepMs: '20' };
  await harness.coordinatorProcess();
  let deliveredBefore = 0;
  let partsOfNext: number | undefined;
  let doomed = '';
  const status = await finished(
    client,
    { kind: 'numbered', parameters, inputs: [] },
    ({ resultParts, coordinator }) => {
      if (doomed !== '' && coordinator !== doomed) partsOfNext ??= resultParts;
      if (doomed !== '' || resultParts < 20) return;
      doomed = coordinator;
      deliveredBefore = resultParts;
      process.kill(Number(coordinator.split('/').at(-1)), 'SIGKILL');
    },
    90_000,
  );
  const numbers = (await partsOf(harness, status)).map(([output]) => output?.data.readInt32LE(0));
  assert.deepEqual(
    numbers,
    Array.from({ length: 200 }, (_, index) => index),
  );
  assert.ok((partsOfNext ?? 0) >= deliveredBefore, `${partsOfNext} of ${deliveredBefore} parts kept`);
});
