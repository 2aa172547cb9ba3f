import { Client, credentials, status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadProtos, serviceOf } from '../../gateway/grpc/protos.js';
import { callInBoundedMemory } from '../support/bounded-memory.js';
import { Harness } from '../support/harness.js';
import { modelsServed } from '../support/models-served.js';
import { mutate, seededRandom } from '../support/mutate.js';

const SEED = Number(process.env['PARTITURA_TEST_SEED'] ?? 20_261_127);
/** `npm run test:long -- fuzz` sends 100,000. */
const MUTATED = Number(process.env['PARTITURA_TEST_GRPC_FUZZ'] ?? 2_000);
const COMMAND_EVERY = 100;
const CALL_LIMIT_MS = 60_000;
/** Statuses that say that the server failed, or that there is none. */
const FAILURES = [status.INTERNAL, status.UNKNOWN, status.UNAVAILABLE, status.DEADLINE_EXCEEDED];

/** A good message of a method, to be mutated. */
interface Seed {
  readonly path: string;
  readonly message: Buffer;
}

const PROTOS = loadProtos();

function seedsOf(service: string, messages: Readonly<Record<string, object>>): Seed[] {
  return Object.entries(serviceOf(PROTOS, service)).map(([name, { path, requestSerialize }]) => ({
    path,
    message: requestSerialize(messages[name] ?? { name: 'coder', version: '1' }),
  }));
}

const RAW = Buffer.from(new Float32Array([1, 2]).buffer);
const TENSOR = { name: 'x', datatype: 'FP32', shape: [1, 2] };
const parameters = { priority: { int64_param: 1 }, signature: { string_param: 'serving_default' } };
const INFER = { model_name: 'coder', id: 'f', outputs: [{ name: 'y' }], parameters };
const RAW_INFER = { ...INFER, inputs: [TENSOR], raw_input_contents: [RAW] };
const TYPED_INFER = { ...INFER, inputs: [{ ...TENSOR, contents: { fp32_contents: [1, 2] } }] };

const OPEN_INFERENCE = seedsOf('inference.GRPCInferenceService', {
  ModelInfer: RAW_INFER,
  ModelStreamInfer: TYPED_INFER,
  RepositoryModelLoad: { model_name: 'sum' },
  RepositoryModelUnload: { model_name: 'sum' },
});

const model_spec = { name: 'coder', version: { value: 1 }, signature_name: 'serving_default' };
const estimator = { name: 'estimator', signature_name: 'serving_default' };
const example = { features: { feature: { x: { float_list: { value: [1, 3] } } } } };
const input = { example_list: { examples: [example, example] } };
const tensor_shape = { dim: [{ size: 1 }, { size: 2 }] };
const predict = (values: object): object => ({
  model_spec,
  inputs: { x: { dtype: 'DT_FLOAT', tensor_shape, ...values } },
  output_filter: ['y'],
});

const TENSORFLOW_SERVING = [
  ...seedsOf('tensorflow.serving.PredictionService', {
    Predict: predict({ tensor_content: RAW }),
    Classify: { model_spec: estimator, input },
    Regress: { model_spec: estimator, input },
    MultiInference: {
      tasks: [{ model_spec: estimator, method_name: 'tensorflow/serving/regress' }],
      input,
    },
    GetModelMetadata: { model_spec, metadata_field: ['signature_def'] },
  }),
  ...seedsOf('tensorflow.serving.PredictionService', { Predict: predict({ float_val: [1, 2] }) }),
  ...seedsOf('tensorflow.serving.ModelService', {
    GetModelStatus: { model_spec },
    HandleReloadConfigRequest: {
      config: { model_config_list: { config: [{ name: 'coder', base_path: '/models' }] } },
    },
  }),
];

/** Writes a field of text, with its number. */
function textField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

const OF_LIBRARIES: readonly Seed[] = [
  ...['Check', 'Watch', 'List'].map((name) => ({
    path: `/grpc.health.v1.Health/${name}`,
    message: textField(1, 'inference.GRPCInferenceService'),
  })),
  ...['v1', 'v1alpha'].flatMap((version) =>
    [textField(7, ''), textField(4, 'inference.GRPCInferenceService'), textField(3, 'a.proto')].map(
      (message) => ({ path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, message }),
    ),
  ),
];

/** The number of a field, without its value. */
const CUT_FIELD = Buffer.from([0xf8, 0x7f]);

const isCommand = ({ path }: Seed): boolean => /RepositoryModel(Load|Unload)$/.test(path);
const ALL = [...OPEN_INFERENCE, ...TENSORFLOW_SERVING, ...OF_LIBRARIES];
const SEEDS = ALL.filter((seed) => !isCommand(seed));
/** Methods that wait for the nodes, and so are called less often. */
const COMMANDS = ALL.filter(isCommand);

let harness: Harness;
let client: Client;
before(async () => {
  harness = await Harness.start(['coder', 'estimator', 'sum']);
  await harness.node();
  const { url, grpcAddress } = await harness.gateway();
  client = new Client(grpcAddress, credentials.createInsecure());
  await modelsServed(url, 3);
});
after(async () => {
  client.close();
  await harness.close();
});

test(`each of ${MUTATED} mutated messages (seed ${SEED}) is answered, in bounded memory`, async () => {
  const random = seededRandom(SEED);
  const codes = await callInBoundedMemory(MUTATED, async (number) => {
    const seeds = number % COMMAND_EVERY === 0 ? COMMANDS : SEEDS;
    const seed = seeds[random(seeds.length)];
    assert.ok(seed);
    const message = mutate(seed.message, random);
    const { code, details } = await send(seed.path, message);
    assert.ok(!FAILURES.includes(code), `${seed.path} ${message.toString('hex')}: ${code} ${details}`);
    return status[code];
  });
  const counts = JSON.stringify(Object.fromEntries(codes));
  assert.ok((codes.get('OK') ?? 0) > 0 && (codes.get('INVALID_ARGUMENT') ?? 0) > MUTATED / 4, counts);
  for (const { path, message } of SEEDS.filter((seed) => seed.path.endsWith('/ModelInfer')))
    assert.equal((await send(path, message)).code, status.OK);
});

test('a message that is not of its type is refused as the fault of its sender', async () => {
  for (const { path } of ALL) {
    const { code, details } = await send(path, CUT_FIELD);
    assert.equal(code, status.INVALID_ARGUMENT, `${path}: ${details}`);
    assert.match(details, /^message: expected the request of this method, got other bytes: /);
  }
});

/** Sends one message as bytes. A stream without an end is cancelled after its first answer. */
function send(path: string, message: Buffer): Promise<{ readonly code: status; readonly details: string }> {
  return new Promise((resolve) => {
    const bytes = (value: Buffer): Buffer => value;
    const stream = client.makeBidiStreamRequest(path, bytes, bytes, { deadline: Date.now() + CALL_LIMIT_MS });
    stream.on('data', () => {
      if (path.endsWith('/Watch')) stream.cancel();
    });
    stream.on('error', () => undefined);
    stream.on('status', resolve);
    stream.write(message);
    stream.end();
  });
}
