import { PartituraError } from '../../../schemas/errors.js';
import { EngineThread } from '../engine-thread.js';
import type { BackendChoice } from '../options.js';
import type { EngineResponse, EngineRequest } from '../thread/messages.js';
import { preferAsVictim } from './victim.js';

/** Told to the process when it starts; the limits of `EngineOptions`. */
export interface ProcessData {
  readonly backend: BackendChoice;
  readonly startTimeoutMs: number;
  /** For a question of any kind: the parent's own limits are tighter. */
  readonly questionTimeoutMs: number;
}

/**
 * A process that computes in place of the node, because what it computes may crash it. The models live in a thread of
 * it, so that it hears at any time when the node has gone.
 */
async function serve({ backend, startTimeoutMs, questionTimeoutMs }: ProcessData): Promise<void> {
  let lost = false;
  const thread = new EngineThread(backend, () => (lost = true));
  // A process without its thread is of no use; it ends once it has told why.
  const send = (answer: EngineResponse): void =>
    void process.send?.(answer, undefined, undefined, () => lost && process.exit(1));
  await thread.started(startTimeoutMs);
  process.on('message', (question: EngineRequest) => {
    thread.ask(question, questionTimeoutMs).then(send, (error: unknown) => {
      const { code, message } = PartituraError.from(error);
      send({ kind: 'failed', code, message });
    });
  });
  send({ kind: 'started' });
}

// A thread within a native call would outlive `process.exit`.
const end = (): boolean => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
// The node may have gone while this process was starting, before anything listened.
if (!process.connected) end();
// Signals of a terminal go to the whole foreground group; the node decides when this process ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
preferAsVictim();
await serve(JSON.parse(process.argv[2] ?? '{}') as ProcessData);
