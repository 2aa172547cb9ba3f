// What only the suite `models` needs: the ONNX project's backend tests with the answers of ONNX Runtime in Python.
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
    log('asking ONNX Runtime in Python 2,000 models (15 minutes)');
    await run(python, [script, draft], { what: 'asking ONNX Runtime', limitMs });
  });
}
