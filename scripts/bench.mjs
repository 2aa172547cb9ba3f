// `npm run bench`: runs setup, then the benchmark. `npm run bench -- mlserver` compares with one system only.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { prepareModels, prepareBenchPython } from './setup/bench.mjs';
import { runMain } from './setup/errors.mjs';
import { root } from './setup/paths.mjs';

const log = (line) => console.error(`bench: ${line}`);

await runMain(async () => {
  await setup({ dev: true, log });
  const python = await prepareBenchPython(log);
  const models = await prepareModels(python, log);
  const child = spawn(
    process.execPath,
    [
      join(root, 'dist', 'bench', 'main.js'),
      `--python=${python}`,
      `--models=${models}`,
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit', cwd: root },
  );
  const code = await new Promise((resolve) => child.once('exit', resolve));
  return code ?? 1;
});
