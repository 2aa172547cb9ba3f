import type { CallGuard } from '../../call-guard.js';
import type { FormatDefinition } from '../format.js';
import { loadOnnxModel, ONNX_FILE } from './model.js';

/** ONNX, computed by ONNX Runtime, which loads with its first session. */
export const onnx: FormatDefinition<CallGuard> = {
  title: 'ONNX',
  file: ONNX_FILE,
  loops: ['Loop', 'Scan'],
  mixing: {
    // `DynamicQuantizeLinear`, and operators of ONNX Runtime that contain it.
    operation: 'DynamicQuantize',
    reason: 'dynamic quantization derives its scale from all rows of a batch',
  },
  runtime: { packages: { onnxruntime: 'onnxruntime-node' }, start: ({ guard }) => guard },
  load: (guard, { directory, cores }) => loadOnnxModel(directory, cores, guard),
};
