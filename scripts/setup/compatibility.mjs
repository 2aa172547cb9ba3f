// Setup for the suite `models` only: the ONNX backend tests with reference outputs of ONNX Runtime in Python.
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { root } from './paths.mjs';
import { digest, limitMs, preparePython } from './python.mjs';
import { run } from './run.mjs';

const folder = join(root, 'integration-tests', 'compatibility');
const requirements = join(folder, 'requirements.txt');
const script = join(folder, 'reference.py');

/** Returns the folder that reference.py fills. */
export async function prepareReference(log) {
  const announcement = 'fetching onnx and onnxruntime from the Python package index (40 MB)';
  const python = await preparePython('compatibility', requirements, { what: 'onnx', announcement, log });
  return cached(`compatibility-${digest(requirements, script)}`, async (draft) => {
    log('computing reference outputs of 2,000 models with ONNX Runtime in Python (15 minutes)');
    await run(python, [script, draft], { what: 'computing reference outputs with ONNX Runtime', limitMs });
  });
}
