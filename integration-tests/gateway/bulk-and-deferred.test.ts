import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '../../core/log.js';
import { sleep } from '../../core/time.js';
import { startGateway } from '../../gateway/gateway.js';
import { CountedConsumers } from '../support/counted-consumers.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call, type JsonResponse } from '../support/http.js';

const ROWS = 2_000;

describe('bulk and deferred requests', () => {
  let harness: Harness;
  let url: string;
  before(async () => {
    harness = await Harness.start(['sum', 'scale', 'coder']);
    await harness.node();
    ({ url } = await harness.gateway());
    await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(() => harness.close());

  const bulk = (model: string, type: string, body: string, query = ''): Promise<JsonResponse> =>
    call(`${url}/v2/models/${model}/bulk${query}`, body, { headers: { 'content-type': type } });

  test('NDJSON rows are answered in order, each error in its place', async () => {
    const rows = Array.from({ length: ROWS }, (_, row) => (row === 7 ? '{"x":"no"}' : `[${row}, 1]`));
    const { status, text } = await bulk('coder', 'application/x-ndjson', rows.join('\n'), '?progress=1000');
    assert.equal(status, 200);
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const answers = lines.filter((line) => !('progress' in line));
    assert.equal(answers.length, ROWS);
    answers.forEach((answer, row) => {
      assert.equal(answer['line'], row + 1);
      if (row === 7) assert.match(String(answer['error']), /^input 'x', element 0: expected FP32, got /);
      else assert.deepEqual(answer['outputs'], { y: [row * 2, 2] });
    });
    assert.deepEqual(
      lines.filter((line) => 'progress' in line),
      [{ progress: { done: 1_000, failed: 1 } }, { progress: { done: 2_000, failed: 1 } }],
    );
  });

  test('CSV is answered as CSV, with a column for errors', async () => {
    const { text } = await bulk('coder', 'text/csv', 'a,b\n1,2\nx,4\n5,6\n');
    assert.equal(text, "y_0,y_1,error\n2.0,4.0,\n,,\"column 'a': expected FP32, got 'x'\"\n10.0,12.0,\n");
  });

  test('a source that is written slowly is answered while it is written', async () => {
    const encoder = new TextEncoder();
    let next: (line: string | undefined) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        next = (line) => (line === undefined ? controller.close() : controller.enqueue(encoder.encode(line)));
      },
    });
    const answer = fetch(`${url}/v2/models/coder/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body,
      duplex: 'half',
    });
    next('a,b\n');
    const reader = (await answer).body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader?.read())?.value, 'y_0,y_1,error\n');
    next('1,1\n2,2\n');
    next(undefined);
    let rest = '';
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) rest += part.value;
    assert.equal(rest, '2.0,2.0,\n4.0,4.0,\n');
  });

  const input = (value: number): object => ({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [value, value] }],
  });
  const defer = (value: number, headers: Record<string, string> = {}): Promise<JsonResponse> =>
    call(`${url}/v2/models/coder/infer`, input(value), { headers: { prefer: 'respond-async', ...headers } });

  test('a deferred answer is found by another gateway after the death of the first', async () => {
    const first = await harness.gateway();
    const deferred = await call(`${first.url}/v2/models/coder/infer`, input(3), {
      headers: { prefer: 'respond-async' },
    });
    assert.equal(deferred.status, 202);
    await first.close();
    const location = deferred.headers.get('location') ?? '';
    await eventually('the reply is there', async () => (await call(`${url}${location}`)).status === 200);
    const { outputs } = (await call(`${url}${location}`)).body as { outputs: { data: number[] }[] };
    assert.deepEqual(outputs[0]?.data, [6, 6]);
    assert.equal((await call(`${url}/v2/deferred/nonsense`)).status, 400);
  });

  test('a stream resumes at another gateway after the last event that was seen', async () => {
    const stop = new AbortController();
    const events = await readEvents(`${url}/v2/streams/blue`, {}, stop.signal);
    for (const value of [1, 2, 3]) assert.equal((await defer(value, { 'x-stream': 'blue' })).status, 202);
    await defer(9, { 'x-stream': 'red' });
    await eventually('three events arrived', () => events.length >= 3);
    stop.abort();
    assert.deepEqual(events.map(valueOf), [2, 4, 6]);
    const other = await harness.gateway();
    const resumed = await readEvents(
      `${other.url}/v2/streams/blue`,
      { 'last-event-id': idOf(events[0]) },
      AbortSignal.timeout(60_000),
    );
    await eventually('the later events arrive again', () => resumed.length >= 2);
    assert.deepEqual(resumed.map(valueOf), [4, 6]);
  });

  test('an unreadable record on the topic of replies is a failed reply, and does not end a stream', async () => {
    const stop = new AbortController();
    const events = await readEvents(`${url}/v2/streams/odd`, {}, stop.signal);
    const correlation = randomUUID();
    const topic = harness.topics.deferredReplies;
    const headers = { 'correlation-id': Buffer.from(correlation) };
    const producer = harness.kafka.producer();
    await producer.connect();
    const record = { topic, value: Buffer.from('no reply'), headers };
    await producer.send([
      { ...record, key: null, partition: 0 },
      { ...record, key: Buffer.from('odd') },
    ]);
    await producer.close();
    const expected = 'reply: expected an InferenceReply, got other bytes';
    const { status, body } = await call(`${url}/v2/deferred/0-0-${correlation}`);
    const id = `0-0-${correlation}`;
    assert.deepEqual([status, body], [200, { id, status: 'failed', error: expected }]);
    await call(
      `${url}/v2/models/scale/infer`,
      { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] },
      { headers: { prefer: 'respond-async', 'x-stream': 'odd' } },
    );
    await eventually('the stream continues', () => events.length === 2);
    assert.match(events[0] ?? '', new RegExp(expected));
    assert.match(events[1] ?? '', /event: reply/);
    stop.abort();
  });

  test('streams whose callers leave while they open leave no reader behind', async () => {
    const counted = new CountedConsumers(harness.kafka);
    const config = harness.config({ gatewayPort: 0, grpcPort: 0 });
    const gateway = await startGateway(config, counted.kafka, createLogger('gateway', 'silent'));
    try {
      const own = counted.open;
      for (let delayMs = 0; delayMs < 20; delayMs++) {
        const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
        socket.write(`GET /v2/streams/s-${delayMs} HTTP/1.1\r\nhost: gateway\r\n\r\n`);
        await sleep(delayMs);
        socket.destroy();
      }
      await eventually('streams were opened', () => counted.created > own);
      await eventually('all are closed', () => counted.open === own);
    } finally {
      await gateway.close();
    }
  });

  test('Watson rows are answered as rows', async () => {
    const predict = (model: string, body: object): Promise<JsonResponse> =>
      call(`${url}/ml/v4/deployments/${model}/predictions?version=2026-01-01`, body);
    const { text } = await predict('coder', {
      input_data: [
        {
          fields: ['a', 'b'],
          values: [
            [1, 2],
            [3, 4],
          ],
        },
      ],
    });
    assert.equal(text, '{"predictions":[{"fields":["y"],"values":[[[2.0,4.0]],[[6.0,8.0]]]}]}');
    const { status, body } = await predict('nope', {});
    assert.equal(status, 404);
    assert.equal((body as { errors: { code: string }[] }).errors[0]?.code, 'deployment_does_not_exist');
  });
});

async function readEvents(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<string[]> {
  const events: string[] = [];
  const response = await fetch(url, { headers, signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  await reader?.read();
  const collect = async (): Promise<void> => {
    let rest = '';
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      const blocks = (rest + part.value).split('\n\n');
      rest = blocks.pop() ?? '';
      events.push(...blocks.filter((block) => block.startsWith('id:')));
    }
  };
  collect().catch(() => undefined);
  return events;
}

const idOf = (event: string | undefined): string => /^id: (\d+)$/m.exec(event ?? '')?.[1] ?? '';

function valueOf(event: string): number | undefined {
  const data = JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '{}') as { outputs: { data: number[] }[] };
  return data.outputs[0]?.data[0];
}
