import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { InferenceNode } from '../../consumers/node/node.js';
import type { ModelFacts } from '../../cli/models/facts.js';
import type { PartituraClient, Prediction } from '../../producers/index.js';
import { CommandLine } from '../support/command-line.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import type { RawClient } from '../support/raw-client.js';

const ALL = "'decode', 'encode', 'normalize', 'precise', 'serving_default'";
/** The byte that `encode` prepends to a text, which makes it invalid UTF-8. */
const MARK = 0xff;

const coded = (text: string): Buffer => Buffer.concat([Buffer.from([MARK]), Buffer.from(text)]);

describe('a SavedModel with several signatures', () => {
  let harness: Harness;
  let node: InferenceNode;
  let client: PartituraClient;
  let rawClient: RawClient;
  before(async () => {
    harness = await Harness.start(['coder', 'scale-onnx']);
    node = await harness.node();
    client = await harness.client();
    rawClient = await harness.rawClient();
  });
  after(() => harness.close());

  const predict = (
    inputs: Parameters<PartituraClient['predict']>[1],
    signature?: string,
  ): Promise<Prediction> =>
    client.predict('coder', inputs, signature === undefined ? {} : { parameters: { signature } });

  async function askInJson(body: object): Promise<Record<string, unknown>> {
    const value = Buffer.from(JSON.stringify(body));
    const correlation = rawClient.send(harness.topics.requests('coder'), value);
    await rawClient.answered([correlation]);
    const [record] = rawClient.replies.get(correlation) ?? [];
    return JSON.parse(String(record?.value)) as Record<string, unknown>;
  }

  test('answers with the signature named by an Avro request, or the default one', async () => {
    const { outputs } = await predict({ x: [[1, 2]] });
    assert.deepEqual(outputs['y']?.data, new Float32Array([2, 4]));
    const encoded = await predict({ text: ['ä', 'b'] }, 'encode');
    assert.deepEqual(encoded.outputs['code']?.data, [coded('ä'), coded('b')]);
    const decoded = await predict({ code: [coded('ä'), coded('b')] }, 'decode');
    assert.deepEqual(decoded.outputs['text']?.data, ['ä', 'b']);
    const named = await predict({ x: [[1, 2]] }, 'serving_default');
    assert.deepEqual(named.outputs['y']?.data, new Float32Array([2, 4]));
  });

  test('answers JSON likewise, with bytes in base64 in both directions', async () => {
    const base64 = { content_type: 'base64' };
    const data = [coded('ä').toString('base64')];
    const encoded = await askInJson({
      parameters: { signature: 'encode' },
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['ä'] }],
    });
    assert.deepEqual(encoded['outputs'], [
      { name: 'code', datatype: 'BYTES', shape: [1], parameters: base64, data },
    ]);
    const decoded = await askInJson({
      parameters: { signature: 'decode' },
      inputs: [{ name: 'code', datatype: 'BYTES', shape: [1], parameters: base64, data }],
    });
    assert.deepEqual(decoded['outputs'], [{ name: 'text', datatype: 'BYTES', shape: [1], data: ['ä'] }]);
  });

  test('refuses an unknown signature with the list of signatures, in Avro and JSON', async () => {
    const message = `parameters.signature: expected one of ${ALL}, got 'predict'`;
    await assert.rejects(predict({ x: [[1, 2]] }, 'predict'), { code: 'INVALID_REQUEST', message });
    const refused = await askInJson({ parameters: { signature: 'predict' }, inputs: [] });
    assert.equal(refused['error'], message);
    await assert.rejects(predict({ x: [[1, 2]] }, 'precise'), {
      code: 'MODEL_FAILED',
      message: /^signature 'precise' is not served: .*input 'x' is FP64/,
    });
  });

  test('validates against the named signature', async () => {
    await assert.rejects(predict({ x: [[1, 2]] }, 'encode'), {
      code: 'INVALID_REQUEST',
      message: "input 'x': expected one of 'text'",
    });
    await assert.rejects(predict({ x: [[1, 2]], z: [[1, 2]] }), {
      code: 'INVALID_REQUEST',
      message: "input 'z': expected one of 'x'",
    });
  });

  test('batches each signature separately: concurrent callers are not mixed up', async () => {
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const [doubled, encoded, normalized] = await Promise.all([
          predict({ x: [[index, 1]] }),
          predict({ text: [`text ${index}`] }, 'encode'),
          predict({ x: [[index, 1]] }, 'normalize'),
        ]);
        assert.deepEqual(doubled.outputs['y']?.data, new Float32Array([2 * index, 2]));
        assert.deepEqual(encoded.outputs['code']?.data, [coded(`text ${index}`)]);
        assert.deepEqual(normalized.outputs['y']?.data, new Float32Array([1, 1]));
      }),
    );
  });

  test('is shown with all signatures and named dimensions', async () => {
    const cli = new CommandLine({ KAFKA_BROKERS: harness.broker.bootstrap });
    const show = async (
      ...args: string[]
    ): Promise<{ code: number | null; stdout: string; stderr: string }> =>
      cli.run(['models', 'show', ...args]);
    await eventually('the node status of a node that is ready', async () => {
      const { code } = await show('coder');
      return code === 0;
    });
    const text = (await show('coder')).stdout;
    assert.match(
      text,
      /^coder version 1\n {2}nodes {5}\S+\n {2}state {5}AVAILABLE\n {2}format {4}SavedModel\n/,
    );
    assert.match(
      text,
      /^ {2}runtime {3}@tensorflow\/tfjs-node 4\.\d+\.\d+\n {2}delivery {2}ordered\n {2}files {5}sha256 [0-9a-f]{64}$/m,
    );
    assert.match(text, /^ {2}signature serving_default \(default\)$/m);
    assert.match(
      text,
      /^ {2}signature encode\n.*\n {2}input +text +BYTES +\[-1\]\n {2}output +code +BYTES +\[-1\]$/m,
    );
    assert.match(text, /^ {2}batching {2}no: output 'y' of a request depends on other requests/m);
    assert.match(text, /^ {2}signature precise\n {2}problem {3}not served: .*FP64/m);

    const facts = JSON.parse((await show('scale-onnx', '--json')).stdout) as ModelFacts;
    const [status] = facts.versions[0]?.nodes ?? [];
    assert.equal(status?.node, node.id);
    assert.equal(status.format, 'onnx');
    assert.match(status.runtime ?? '', /^onnxruntime-node \d/);
    assert.deepEqual(status.signatures[0]?.inputs[0]?.dimensionNames, ['batch', '']);
    assert.deepEqual(facts, JSON.parse((await cli.run(['models', '--json', 'show', 'scale-onnx'])).stdout));

    const asked = await cli.run([
      'predict',
      'coder',
      '--signature',
      'encode',
      '--input',
      'text=["a"]',
      '--json',
    ]);
    const { outputs } = JSON.parse(asked.stdout) as { outputs: unknown };
    assert.deepEqual(outputs, [
      {
        name: 'code',
        datatype: 'BYTES',
        shape: [1],
        parameters: { content_type: 'base64' },
        data: [coded('a').toString('base64')],
      },
    ]);

    const unknown = await show('encoder');
    assert.deepEqual(
      [unknown.code, unknown.stdout, unknown.stderr],
      [1, '', "partitura: MODEL_NOT_FOUND: model: expected one of 'coder', 'scale-onnx', got 'encoder'\n"],
    );
  });
});
