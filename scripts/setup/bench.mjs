// Setup for the benchmark only: a Python environment with the compared systems, and the models that all systems serve.
import { join } from 'node:path';
import { cached } from './cache.mjs';
import { root } from './paths.mjs';
import { digest, limitMs, preparePython } from './python.mjs';
import { run } from './run.mjs';

const requirements = join(root, 'bench', 'python', 'requirements.txt');
const builder = join(root, 'bench', 'python', 'build_models.py');
const digits = join(root, 'examples', 'models', 'digits', '1');
const data = join(root, 'examples', 'digits', 'digits.csv.gz');

/** Returns the Python of an environment with TensorFlow, MLServer and the Kafka and Avro clients. */
export function prepareBenchPython(log) {
  const announcement = 'fetching the compared systems from the Python package index (400 MB)';
  return preparePython('bench', requirements, { what: 'the compared systems', announcement, log });
}

/** Returns the folder that bench/python/build_models.py fills. */
export function prepareModels(python, log) {
  const name = `bench-models-${digest(builder, join(digits, 'saved_model.pb'))}`;
  return cached(name, async (draft) => {
    log('building the benchmark models');
    await run(python, [builder, digits, data, draft], { what: 'building the benchmark models', limitMs });
  });
}
