import { parentPort, workerData } from 'node:worker_threads';
import { CallGuard } from '../call-guard.js';
import { ModelHost } from './host.js';
import { Loaders } from './loaders.js';
import type { EngineResponse, EngineRequest, ThreadData } from './messages.js';

/** The thread's one loop: a question at a time, answers in the order of the questions. */
function serve(): void {
  const port = parentPort;
  if (!port) throw new Error('an engine thread is started by the engine');
  const { backend, gate } = workerData as ThreadData;
  const host = new ModelHost(new Loaders(backend, new CallGuard(gate)));
  const waiting: EngineRequest[] = [];
  let answering = false;

  const answerAll = async (): Promise<void> => {
    answering = true;
    for (let question = waiting.shift(); question; question = waiting.shift()) {
      const answer = await host.answer(question);
      port.postMessage(answer, answer.kind === 'result' ? [...answer.buffers] : []);
    }
    answering = false;
  };

  port.on('message', (question: EngineRequest) => {
    waiting.push(question);
    if (!answering) void answerAll();
  });
  port.postMessage({ kind: 'started' } satisfies EngineResponse);
}

serve();
