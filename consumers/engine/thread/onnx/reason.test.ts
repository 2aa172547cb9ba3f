import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxReason } from './reason.js';

const reasonOf = (message: string): string => onnxReason(new Error(message));

test('the path of a model that cannot be loaded is not reported', () => {
  assert.equal(
    reasonOf('Load model from /srv/secret/model.onnx failed:Protobuf parsing failed.'),
    'Protobuf parsing failed.',
  );
});

test('internal nodes and functions of ONNX Runtime are dropped', () => {
  assert.equal(
    reasonOf(
      "Non-zero status code returned while running FusedGemm node. Name:'fused ' Status Message: /onnxruntime_src/include/onnxruntime/core/framework/op_kernel_context.h:42 const T* onnxruntime::OpKernelContext::Input(int) const [with T = onnxruntime::Tensor] Missing Input: x",
    ),
    'Missing Input: x',
  );
  assert.equal(
    reasonOf(
      'Load model from model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:187 onnxruntime::(anonymous namespace)::Model(onnx::ModelProto&&, const std::function<void(int)>&) ModelProto does not have a graph.\n',
    ),
    'ModelProto does not have a graph.',
  );
});

test('an initialization failure is reported without ONNX Runtime source locations', () => {
  assert.equal(
    reasonOf(
      'Exception during initialization: /onnxruntime_src/onnxruntime/core/providers/cpu/nn/string_normalizer.cc:80 onnxruntime::StringNormalizer::Locale::Locale(const std::string&)::<lambda()> Failed to construct locale with name:en_US.UTF-8',
    ),
    'Failed to construct locale with name:en_US.UTF-8',
  );
});

test('other messages are unchanged', () => {
  assert.equal(reasonOf('not enough space: expected 8, got 4'), 'not enough space: expected 8, got 4');
});
