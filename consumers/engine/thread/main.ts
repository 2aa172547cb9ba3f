import { parentPort, workerData } from 'node:worker_threads';
import { CallGate } from '../call-gate.js';
import { ModelHost } from './host.js';
import { Loaders } from './loaders.js';
import type { Answer, Question, ThreadData } from './messages.js';

/** The thread's one loop: a question at a time, answers in the order of the questions. */
function serve(): void {
  const port = parentPort;
  if (!port) throw new Error('an engine thread is started by the engine');
  const { backend, gate } = workerData as ThreadData;
  const host = new ModelHost(new Loaders(backend, new CallGate(gate)));
  const waiting: Question[] = [];
  let answering = false;

  const answerAll = async (): Promise<void> => {
    answering = true;
    for (let question = waiting.shift(); question; question = waiting.shift()) {
      const answer = await host.answer(question);
      port.postMessage(answer, answer.kind === 'result' ? [...answer.buffers] : []);
    }
    answering = false;
  };

  port.on('message', (question: Question) => {
    waiting.push(question);
    if (!answering) void answerAll();
  });
  port.postMessage({ kind: 'started' } satisfies Answer);
}

serve();
