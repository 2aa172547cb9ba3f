import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onnxBinding } from './runtime.js';

test('a missing binary for the platform is reported with a remedy', () => {
  const { platform, arch } = process;
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  Object.defineProperty(process, 'arch', { value: 'x64' });
  try {
    assert.throws(onnxBinding, {
      code: 'MODEL_FAILED',
      message:
        /^ONNX Runtime cannot be loaded on darwin x64 \(.*\); serve the model on a platform .* SavedModel$/,
    });
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
    Object.defineProperty(process, 'arch', { value: arch });
  }
});
