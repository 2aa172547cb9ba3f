// What only the suite `models` needs: the ONNX project's backend tests with the answers of ONNX Runtime in Python.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { root } from './paths.mjs';
import { run } from './run.mjs';

const limitMs = 30 * 60_000;
const folder = join(root, 'integration-tests', 'compatibility');
const requirements = join(folder, 'requirements.txt');
const script = join(folder, 'reference.py');

/** Returns the folder that reference.py fills. */
export async function prepareReference(log) {
  const environment = await cached(`compatibility-python-${digest(requirements)}`, async (draft) => {
    log('fetching onnx and onnxruntime from the Python package index (40 MB)');
    await run('python3', ['-m', 'venv', draft], { what: 'making a Python environment', limitMs });
    await run(pythonOf(draft), ['-m', 'pip', 'install', '--quiet', '-r', requirements], {
      what: 'installing onnx',
      limitMs,
    });
  });
  return cached(`compatibility-${digest(requirements, script)}`, async (draft) => {
    log('asking ONNX Runtime in Python 2,000 models (15 minutes)');
    await run(pythonOf(environment), [script, draft], { what: 'asking ONNX Runtime', limitMs });
  });
}

const pythonOf = (environment) => join(environment, 'bin', 'python');

function digest(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
