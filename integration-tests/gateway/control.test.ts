import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { DirectiveOutcome } from '../../operations/control/outcome.js';
import { CommandLine } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call, type JsonResponse } from '../support/http.js';

describe('directives to models and nodes', () => {
  let harness: Harness;
  let url: string;
  before(async () => {
    harness = await Harness.start(['sum', 'scale'], { versionPolicy: 'all' });
    await Promise.all([harness.node({ nodeId: 'one' }), harness.node({ nodeId: 'two' })]);
    ({ url } = await harness.gateway());
    await eventually('both nodes are ready', async () => (await nodesServing('sum')).length === 2);
  });
  after(() => harness.close());

  const post = (path: string): Promise<JsonResponse> => call(`${url}${path}`, '');
  const put = (path: string, body: object): Promise<JsonResponse> =>
    call(`${url}${path}`, body, { method: 'PUT' });
  const predict = (model: string, path = ''): Promise<JsonResponse> =>
    call(`${url}/v1/models/${model}${path}:predict`, { instances: [[1, 2]] });

  async function nodesServing(model: string): Promise<string[]> {
    const text = await (await fetch(`${url}/readyz`)).json().then((body) => body as { models: string[] });
    if (!text.models.includes(model)) return [];
    const outcome = (await post(`/api/models/${model}/load`)).body as DirectiveOutcome;
    return outcome.nodes.filter(({ ok }) => ok).map(({ node }) => node);
  }

  test('unload reaches all nodes, and those that start later', async () => {
    const unloaded = await post('/api/models/scale/unload');
    assert.deepEqual(unloaded.body, {
      settled: true,
      nodes: ['one', 'two'].map((node) => ({ node, ok: true, reason: '' })),
    });
    assert.equal((await predict('scale')).status, 404);
    const later = await harness.node({ nodeId: 'three' });
    assert.deepEqual(later.models, ['sum']);
    await later.close();
    assert.equal((await post('/v2/repository/models/scale/load')).status, 200);
    assert.notEqual((await predict('scale')).status, 404);
  });

  test('load names the nodes that could not', async () => {
    const refused = await post('/v2/repository/models/nothing/load');
    assert.equal(refused.status, 400);
    const { error } = refused.body as { error: string };
    assert.match(error, /^failed to load 'nothing': one: its repository has no such model or version; two: /);
  });

  test('labels name versions, and say who asked', async () => {
    assert.equal((await predict('sum', '/labels/stable')).status, 400);
    const labeled = await call(
      `${url}/api/models/sum/labels`,
      { stable: '1' },
      {
        method: 'PUT',
        headers: { 'x-requested-by': 'ada' },
      },
    );
    assert.equal(labeled.status, 200, labeled.text);
    assert.equal((await predict('sum', '/labels/stable')).status, 200);
    const { directives } = (await call(`${url}/api/directives`)).body as {
      directives: { name: string; value: { requestedBy: string } }[];
    };
    assert.equal(directives.find(({ name }) => name === 'sum')?.value.requestedBy, 'ada (127.0.0.1)');
    const wrong = await put('/api/models/sum/labels', { stable: 'first' });
    assert.deepEqual(
      [wrong.status, wrong.text],
      [400, '{"error":"labels, stable: expected a version number"}'],
    );
  });

  test('a drained node serves nothing until it is undrained', async () => {
    const cli = new CommandLine({ KAFKA_BROKERS: harness.broker.bootstrap });
    const drained = await cli.run(['node', 'drain', 'one']);
    assert.match(drained.stdout, /one +done/);
    assert.equal((await predict('sum')).status, 200);
    const undrained = await cli.run(['node', 'undrain', 'one', '--json']);
    assert.equal((JSON.parse(undrained.stdout) as DirectiveOutcome).settled, true);
  });
});

describe('two gateways that command the same models at the same time', () => {
  let harness: Harness;
  let urls: string[];
  before(async () => {
    harness = await Harness.start(['sum', 'scale'], { versionPolicy: 'all' });
    await harness.node();
    urls = (await Promise.all([harness.gateway(), harness.gateway()])).map(({ url }) => url);
    for (const url of urls)
      await eventually('the gateway is ready', async () => (await call(`${url}/readyz`)).status === 200);
  });
  after(() => harness.close());

  const [label, policy] = [fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 9 })];

  test('no command is lost', async () => {
    await fc.assert(
      fc.asyncProperty(label, policy, fc.boolean(), async (version, latest, isFirst) => {
        const [one = '', other = ''] = isFirst ? urls : [...urls].reverse();
        const versionPolicy = `latest:${latest}`;
        const answers = await Promise.all([
          call(`${one}/api/models/sum/labels`, { stable: String(version) }, { method: 'PUT' }),
          call(`${other}/api/models/sum/version-policy`, { versionPolicy }, { method: 'PUT' }),
          call(`${one}/api/models/sum/load`, ''),
        ]);
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200, 200],
        );
        const expected = [{ stable: String(version) }, versionPolicy];
        const keptBy = async (url: string): Promise<unknown> => {
          const { directives } = (await call(`${url}/api/directives`)).body as {
            directives: { name: string; value: { labels: object; versionPolicy: string } }[];
          };
          const { labels, versionPolicy: kept } = directives.find(({ name }) => name === 'sum')?.value ?? {};
          return [labels, kept];
        };
        for (const url of urls)
          await eventually('the gateway knows both', async () =>
            isDeepStrictEqual(await keptBy(url), expected),
          );
      }),
      { numRuns: 15 },
    );
  });
});
