import { PartituraError } from '../../../schemas/errors.js';
import { EngineThread } from '../engine-thread.js';
import type { BackendChoice } from '../options.js';
import type { EngineResponse, EngineRequest } from '../thread/messages.js';
import { preferAsVictim } from './victim.js';

/** Startup arguments of the process, with limits from `EngineOptions`. */
export interface ProcessData {
  readonly backend: BackendChoice;
  readonly startTimeoutMs: number;
  /** Time limit for any request; the parent's own limits are tighter. */
  readonly requestTimeoutMs: number;
}

/**
 * Serves requests from a node in a child process, which may crash without affecting the node. Models run in a worker
 * thread, so that the main thread notices immediately when the node has exited.
 */
async function serve({ backend, startTimeoutMs, requestTimeoutMs }: ProcessData): Promise<void> {
  let lost = false;
  const thread = new EngineThread(backend, () => (lost = true));
  // Without its thread the process is useless; it exits once it has reported the reason.
  const send = (response: EngineResponse): void =>
    void process.send?.(response, undefined, undefined, () => lost && process.exit(1));
  await thread.started(startTimeoutMs);
  process.on('message', (request: EngineRequest) => {
    thread.request(request, requestTimeoutMs).then(send, (error: unknown) => {
      const { code, message } = PartituraError.from(error);
      send({ kind: 'failed', code, message });
    });
  });
  send({ kind: 'started' });
}

// A thread inside a native call would survive `process.exit`.
const end = (): boolean => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
// The node may have exited before the listener was added.
if (!process.connected) end();
// Terminal signals reach the whole foreground process group; the node decides when this process stops.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
preferAsVictim();
await serve(JSON.parse(process.argv[2] ?? '{}') as ProcessData);
