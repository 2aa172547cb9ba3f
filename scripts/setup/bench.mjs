// What only the benchmark needs: a Python environment with the peers, and the models that all systems serve.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { root } from './paths.mjs';
import { run } from './run.mjs';

const limitMs = 30 * 60_000;
const requirements = join(root, 'bench', 'python', 'requirements.txt');
const builder = join(root, 'bench', 'python', 'build_models.py');
const digits = join(root, 'examples', 'models', 'digits', '1');
const data = join(root, 'examples', 'digits', 'digits.csv.gz');

/** Returns the Python of an environment with TensorFlow, MLServer and the Kafka and Avro clients. */
export async function preparePython(log) {
  const environment = await cached(`bench-python-${digest(requirements)}`, async (draft) => {
    log('fetching the peers from the Python package index (400 MB)');
    await run('python3', ['-m', 'venv', draft], { what: 'making a Python environment', limitMs });
    await run(pythonOf(draft), ['-m', 'pip', 'install', '--quiet', '-r', requirements], {
      what: 'installing the peers',
      limitMs,
    });
  });
  return pythonOf(environment);
}

/** Returns the folder that bench/python/build_models.py fills. */
export function prepareModels(python, log) {
  const name = `bench-models-${digest(builder, join(digits, 'saved_model.pb'))}`;
  return cached(name, async (draft) => {
    log('building the models of the benchmark');
    await run(python, [builder, digits, data, draft], { what: "building the benchmark's models", limitMs });
  });
}

const pythonOf = (environment) => join(environment, 'bin', 'python');

function digest(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
