import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KnownNode } from '../../cluster/node-directory.js';
import type { ModelVersionStatus, SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import { describeModel, shapeText } from './describe.js';
import { factsOf } from './facts.js';

const tensor = (name: string, more: Partial<TensorStatus> = {}): TensorStatus => ({
  name,
  datatype: 'FP32',
  shape: [-1, 64],
  dimensionNames: ['batch', ''],
  labels: [],
  labelCount: 0,
  ...more,
});

const measured = {
  microsAlone: 20,
  microsPerRow: 0.5,
  bestBatchRows: 64,
  cores: 1,
  threads: 2,
  inline: false,
  threadsGain: 1.9,
};

const signature: SignatureStatus = {
  name: 'serving_default',
  inputs: [tensor('pixels')],
  outputs: [tensor('label', { shape: [-1, 3], labels: ['a', 'b', 'c'], labelCount: 3 })],
  batching: { batchable: true, reason: 'rows are independent' },
  measured,
  problem: null,
};

const version: ModelVersionStatus = {
  model: 'digits',
  version: '1',
  state: 'AVAILABLE',
  backend: 'onnxruntime',
  message: null,
  measured,
  batching: signature.batching,
  format: 'saved_model',
  runtime: '@tensorflow/tfjs-node 4.22.0',
  filesHash: 'ab12',
  signatures: [signature],
  signaturesNote: null,
  load: null,
  counts: null,
  delivery: 'ordered',
  deliveryNote: null,
};

const node = (name: string, models: ModelVersionStatus[], alive = true): KnownNode => ({
  node: name,
  host: 'h',
  startedAt: 1,
  beatAt: 2,
  state: 'READY',
  models,
  partitions: [],
  bindings: [],
  inflightRequests: 0,
  inflightBytes: 0,
  serviceMicros: 0,
  controlOffset: 0,
  capacityRequests: 0,
  skippedFolders: [],
  alive,
});

test('nodes that agree are described once, each with its own profile', () => {
  const slower = { ...signature, measured: { ...measured, microsAlone: 40, inline: true } };
  const nodes = [node('b', [{ ...version, signatures: [slower] }]), node('a', [version])];
  assert.equal(
    describeModel(factsOf('digits', nodes)),
    `digits version 1
  nodes     a, b
  state     AVAILABLE
  format    SavedModel
  runtime   @tensorflow/tfjs-node 4.22.0
  delivery  ordered
  files     sha256 ab12

  signature serving_default (default)
          NAME    DATATYPE  SHAPE        LABELS
  input   pixels  FP32      [batch, 64]
  output  label   FP32      [batch, 3]   a, b, c
  batching  yes: rows are independent
  profile   a: 20 µs for one row, 0.50 µs a row in the best batch of 64, on 2 threads of 1 core (1.9 × one)
  profile   b: 40 µs for one row, 0.50 µs a row in the best batch of 64, in the event loop`,
  );
});

test('nodes that differ are described separately, and the fields are named', () => {
  const failed = { ...version, state: 'FAILED', message: 'no memory', signatures: [], filesHash: null };
  const facts = factsOf('digits', [node('a', [version]), node('b', [failed])]);
  assert.deepEqual(facts.versions[0]?.differences, [
    'state',
    'message',
    'filesHash',
    'signatures',
    'batching',
  ]);
  const text = describeModel(facts);
  assert.match(text, /^ {2}nodes differ in: state, message, filesHash, signatures, batching$/m);
  assert.match(text, /^ {2}nodes {5}b\n {2}state {5}FAILED: no memory$/m);
});

test('an unknown model is refused with the list of models on live nodes', () => {
  const nodes = [
    node('a', [version, { ...version, model: 'wine' }]),
    node('b', [{ ...version, model: 'x' }], false),
  ];
  assert.throws(() => factsOf('digit', nodes), {
    code: 'MODEL_NOT_FOUND',
    message: "model: expected one of 'digits', 'wine', got 'digit'",
  });
  assert.throws(() => factsOf('digits', []), {
    message: "model: expected a model of a live node (none is served), got 'digits'",
  });
});

test('versions are in numeric order, and each signature has its own table', () => {
  const encode = { ...signature, name: 'encode', batching: { batchable: false, reason: 'rows mix' } };
  const refused = { ...signature, name: 'precise', inputs: [], outputs: [], batching: null, problem: 'FP64' };
  const several = { ...version, version: '10', signatures: [signature, encode, refused] };
  const text = describeModel(factsOf('digits', [node('a', [several, { ...version, version: '9' }])]));
  assert.match(text, /^digits version 9$[^]*^digits version 10$/m);
  assert.match(text, /^ {2}signature encode$[^]*^ {2}batching {2}no: rows mix$/m);
  assert.match(text, /^ {2}signature precise\n {2}problem {3}not served: FP64$/m);
});

test('shapes and labels are readable', () => {
  assert.equal(shapeText(tensor('x', { shape: [], dimensionNames: [] })), '[] (a scalar, or any shape)');
  assert.equal(
    shapeText(tensor('x', { shape: [-1, -1, 2], dimensionNames: ['', 'time', ''] })),
    '[-1, time, 2]',
  );
  const labelled = (labels: string[]): SignatureStatus => ({
    ...signature,
    outputs: [tensor('y', { labels, labelCount: 1_000 })],
  });
  const textOf = (labels: string[]): string =>
    describeModel(factsOf('digits', [node('a', [{ ...version, signatures: [labelled(labels)] }])]));
  assert.match(textOf(['cat', 'dog']), / cat, dog and 998 more$/m);
  assert.match(textOf([]), / 1000 labels$/m);
  assert.match(textOf([...'abcdefghij']), / a, b, c, d, e, f, g, h and 992 more$/m);
});

test('text from nodes cannot break out of its line', () => {
  const evil = 'x\u001b[2J\nstate     AVAILABLE';
  const hostile: ModelVersionStatus = {
    ...version,
    state: evil,
    message: evil,
    format: evil,
    runtime: evil,
    filesHash: evil,
    signaturesNote: evil,
    signatures: [
      {
        ...signature,
        name: evil,
        inputs: [tensor(evil, { datatype: evil, dimensionNames: [evil], labels: [evil], labelCount: 1 })],
        batching: { batchable: true, reason: evil },
      },
      { ...signature, name: evil, problem: evil },
    ],
  };
  const text = describeModel(factsOf('digits', [node(evil, [hostile])]));
  assert.equal(text.includes('\u001b'), false);
  assert.equal(
    text.split('\n').some((line) => line.startsWith('state')),
    false,
  );
});
