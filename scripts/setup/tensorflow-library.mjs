// Extracts libtensorflow and its C headers from the Python wheel. No Python TensorFlow is run.
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cached } from './cache.mjs';
import { SetupError } from './errors.mjs';
import { run } from './run.mjs';
import { timed } from './timed.mjs';

const version = '2.18.1';
const sha256 = '810c75d7149d2da0cb2092187817b0dcabb80728ca9f9cf3a61f3f42fadd1298';
const limitMs = 30 * 60_000;

export const libraryCacheName = `tensorflow-${version}-linux-x64`;

/** Returns a folder with the layout of the wheel: tensorflow/*.so.2 and tensorflow/include. */
export function fetchLibrary(log) {
  return cached(libraryCacheName, (draft) =>
    timed(log, `downloading TensorFlow ${version} from the Python package index (230 MB)`, async () => {
      const wheel = await downloadWheel(draft);
      await checkWheel(wheel);
      await unpackNeeded(wheel, draft);
      rmSync(wheel);
    }),
  );
}

async function downloadWheel(folder) {
  const args = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--retries=2',
    '--no-deps',
    '--only-binary=:all:',
    '--no-cache-dir',
    '--dest',
    folder,
  ];
  const target = ['--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311'];
  const platforms = ['--platform', 'manylinux2014_x86_64', '--platform', 'manylinux_2_17_x86_64'];
  await run('python3', [...args, ...target, ...platforms, `tensorflow-cpu==${version}`], {
    what: 'fetching TensorFlow',
    limitMs,
  });
  return join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.whl')),
  );
}

async function checkWheel(wheel) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(wheel), hash);
  const found = hash.digest('hex');
  if (found !== sha256)
    throw new SetupError(
      `TensorFlow wheel: expected sha256 ${sha256}, got ${found}: the package index served another file`,
    );
}

/** Unpacks the wheel with Python's zipfile, so that no unzip program is needed. */
async function unpackNeeded(wheel, folder) {
  const program = `
import sys, zipfile
needed = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/ctstring', 'tensorflow/include/xla/tsl/c/', 'tensorflow/include/tsl/')
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(needed)])`;
  await run('python3', ['-c', program, wheel, folder], { what: 'unpacking TensorFlow', limitMs });
}
