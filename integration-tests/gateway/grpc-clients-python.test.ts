import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Gateway } from '../../gateway/gateway.js';
import { eventually } from '../support/eventually.js';
import { Harness } from '../support/harness.js';
import { call } from '../support/http.js';
import { ROOT, run, type Ended } from '../support/programs.js';
import { createPython, noPython, SCRIPTS } from '../support/python.js';

const PROTOS = join(ROOT, 'gateway/grpc/protos');
const CALLS_LIMIT_MS = 60_000;

describe('client libraries in Python', { skip: noPython ?? false }, () => {
  let harness: Harness;
  let gateway: Gateway;
  let folder: string;
  let python: string;
  /** Messages of TensorFlow that the stubs import. */
  let messages: string;
  /** Reason for missing packages. */
  let notInstalled: string | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'partitura-clients-'));
    messages = join(folder, 'messages');
    ({ python, notInstalled } = await createPython(folder, [
      ['-r', join(SCRIPTS, 'requirements.txt')],
      ['--no-deps', '-r', join(SCRIPTS, 'requirements-no-deps.txt')],
    ]));
    harness = await Harness.start(['digits', 'coder', 'types', 'estimator', 'scale', 'slow']);
    await harness.node();
    gateway = await harness.gateway();
    await eventually(
      'the gateway is ready',
      async () => (await call(`${gateway.url}/readyz`)).status === 200,
    );
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  async function compileMessages(): Promise<void> {
    await mkdir(messages);
    const files = (await readdir(PROTOS, { recursive: true })).filter((name) =>
      /^(tensorflow|xla)\/.*\.proto$/.test(name),
    );
    const compiled = await run(python, [
      '-m',
      'grpc_tools.protoc',
      `-I${PROTOS}`,
      `--python_out=${messages}`,
      ...files,
    ]);
    assert.equal(compiled.code, 0, compiled.stderr);
  }

  const runScript = (name: string): Promise<Ended> =>
    run(python, [join(SCRIPTS, name), gateway.url, gateway.grpcAddress], {
      limitMs: CALLS_LIMIT_MS,
      env: { PYTHONPATH: messages },
    });

  test('tritonclient, over HTTP and gRPC', async (t) => {
    if (notInstalled) return t.skip(notInstalled);
    const { code, stdout, stderr } = await runScript('call_triton.py');
    assert.equal(code, 0, stdout + stderr);
  });

  test('tensorflow-serving-api, health checks and reflection', async (t) => {
    if (notInstalled) return t.skip(notInstalled);
    await compileMessages();
    const { code, stdout, stderr } = await runScript('call_tensorflow_serving.py');
    assert.equal(code, 0, stdout + stderr);
  });
});
