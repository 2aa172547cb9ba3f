import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Harness } from '../support/harness.js';
import { TASKS } from '../support/jobs.js';

let harness: Harness;
let url: string;
before(async () => {
  harness = await Harness.start([], { jobs: true, tasks: TASKS });
  await Promise.all([harness.node(), harness.coordinatorProcess()]);
  ({ url } = await harness.gateway());
});
after(() => harness.close());

const submit = async (body: object): Promise<Response> =>
  fetch(`${url}/v1/jobs`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

test('a job is submitted, watched to its end, and its result streamed', async () => {
  const submitted = await submit({
    id: 'watched',
    parameters: { kind: 'numbered', parts: 30, sleepMs: 20 },
    inputs: [],
  });
  assert.equal(submitted.status, 202);
  assert.equal(submitted.headers.get('location'), '/v1/jobs/watched');
  let events: Response;
  do events = await fetch(`${url}/v1/jobs/watched/events`);
  while (events.status === 404);
  const states = [...(await events.text()).matchAll(/^data: (.*)$/gm)].map(
    ([, data]) => JSON.parse(data ?? '') as { state: string; partsDone: number },
  );
  assert.equal(states.at(-1)?.state, 'DONE');
  assert.equal(states.at(-1)?.partsDone, 30);
  const result = await (await fetch(`${url}/v1/jobs/watched/result`)).text();
  assert.deepEqual(
    result
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { number: number }).number),
    Array.from({ length: 30 }, (_, index) => index),
  );
  const { jobs } = (await (await fetch(`${url}/v1/jobs`)).json()) as { jobs: { id: string }[] };
  assert.deepEqual(
    jobs.map(({ id }) => id),
    ['watched'],
  );
});

test('a job is cancelled, and bad requests get one sentence', async () => {
  await submit({ id: 'endless', parameters: { kind: 'numbered', parts: 1_000, sleepMs: 100 }, inputs: [] });
  let cancelled: Response;
  do cancelled = await fetch(`${url}/v1/jobs/endless`, { method: 'DELETE' });
  while (cancelled.status === 404);
  assert.equal(cancelled.status, 202);
  const events = await (await fetch(`${url}/v1/jobs/endless/events`)).text();
  assert.match(events, /"state":"CANCELLED"/);
  for (const [response, status, sentence] of [
    [await submit({ parameters: {}, inputs: [] }), 400, /parameters\.kind: expected the name of a kind/],
    [
      await submit({ id: 'a/b', parameters: { kind: 'map' }, inputs: [] }),
      400,
      /job, id: expected 1 to 200 letters/,
    ],
    [await fetch(`${url}/v1/jobs/unknown`), 404, /job 'unknown': expected a job of the last week/],
    [await fetch(`${url}/v1/jobs/endless/result`), 499, /cancelled/],
    [await fetch(`${url}/v1/jobs`, { method: 'PUT' }), 405, /Malformed request/],
  ] as const) {
    assert.equal(response.status, status);
    assert.match(((await response.json()) as { error: string }).error, sentence);
  }
});
