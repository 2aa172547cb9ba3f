import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeNodeStatus } from '../../schemas/framing/node-status.js';
import type { SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import {
  fitForms,
  formsOf,
  SIGNATURES_BUDGET,
  withVerdicts,
  type SignatureForm,
} from './signature-status.js';
import type { ServedVersion } from './served-version.js';

const tensor = (name: string, labels: readonly string[] = []): TensorStatus => ({
  name,
  datatype: 'FP32',
  shape: [-1, 64],
  dimensionNames: ['batch', ''],
  labels: [...labels],
  labelCount: labels.length,
});

const signature = (outputs: readonly TensorStatus[]): SignatureStatus[] => [
  {
    name: null,
    inputs: [tensor('x')],
    outputs: [...outputs],
    batching: {
      batchable: true,
      reason: 'rows are independent: verified by 59 runs of up to 1026 rows',
    },
    measured: null,
    problem: null,
  },
];

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `class ${index}`);
const SMALL = signature([tensor('y')]);
const LABELLED = signature([tensor('y', names(10_000))]);
const WIDE = signature(names(2_000).map((name) => tensor(name)));

const fit = (versions: readonly SignatureStatus[][], budget?: number): SignatureForm[] =>
  fitForms(versions.map(formsOf), budget);

const described = (
  { signatures, note }: SignatureForm | undefined = { signatures: [], note: null, bytes: 0 },
): object => ({
  signatures,
  note,
});

/** Returns the size of a node status with these versions. */
function statusBytes(versions: readonly SignatureStatus[][]): number {
  const models = fit(versions).map(({ signatures, note }, index) => ({
    model: `model-${index}`,
    version: '1',
    state: 'AVAILABLE',
    backend: 'onnxruntime',
    message: null,
    measured: null,
    batching: signatures[0]?.batching ?? null,
    format: 'onnx',
    runtime: 'onnxruntime-node 1.30.0',
    filesHash: 'f'.repeat(64),
    signatures: [...signatures],
    signaturesNote: note,
    load: null,
    counts: null,
    delivery: null,
    deliveryNote: null,
  }));
  const rest = { node: 'n', host: 'h', startedAt: 1, beatAt: 2, state: 'READY' as const };
  const counts = { inflightRequests: 0, inflightBytes: 0, serviceMicros: 0, capacityRequests: 0 };
  return encodeNodeStatus({
    ...rest,
    ...counts,
    models,
    partitions: [],
    bindings: [],
    controlOffset: 0,
    skippedFolders: [],
  }).length;
}

test('signatures that fit are reported completely', () => {
  assert.deepEqual(fit([SMALL, SMALL]).map(described), [
    { signatures: SMALL, note: null },
    { signatures: SMALL, note: null },
  ]);
  assert.deepEqual(fit([]), []);
});

test('the largest are abridged first, step by step, with a note', () => {
  const [labelled, small, wide] = fit([LABELLED, SMALL, WIDE]);
  assert.deepEqual(described(small), { signatures: SMALL, note: null });
  const output = labelled?.signatures[0]?.outputs[0];
  assert.deepEqual([output?.labels, output?.labelCount], [names(8), 10_000]);
  assert.match(labelled?.note ?? '', /first 8 labels/);
  assert.deepEqual(wide?.signatures, []);
  assert.match(wide.note ?? '', /^omitted/);
  const bare = fit([signature([tensor('y', names(8))])], 400)[0];
  assert.deepEqual(bare?.signatures[0]?.outputs[0]?.labels, []);
  assert.match(bare.note ?? '', /are omitted$/);
});

test('a status stays far below the limit of readers, whatever the models', () => {
  const fifty = (one: SignatureStatus[]): SignatureStatus[][] => Array.from({ length: 50 }, () => one);
  for (const one of [SMALL, LABELLED, WIDE]) {
    const bytes = statusBytes(fifty(one));
    assert.ok(bytes < 2 * SIGNATURES_BUDGET, `${bytes}`);
  }
  const bytes = statusBytes(Array.from({ length: 1_000 }, () => SMALL));
  assert.ok(bytes < 512 * 1024, `${bytes}`);
});

test('verdicts are current in every form', () => {
  const batching = { batchable: false, reason: 'live check found a difference' };
  const main = { batching } as ServedVersion;
  const [form] = fit([SMALL]);
  assert.ok(form);
  assert.deepEqual(withVerdicts(form, { main, others: [] }), [{ ...SMALL[0], batching }]);
});
