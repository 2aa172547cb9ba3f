import { parentPort, workerData } from 'node:worker_threads';
import { ModelHost } from './host.js';
import type { Answer, Question, ThreadData } from './messages.js';
import { startRuntime } from './runtime.js';

/** The thread's one loop: a question at a time, answers in the order of the questions. */
async function serve(): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('an engine thread is started by the engine');
  const runtime = await startRuntime((workerData as ThreadData).backend);
  const host = new ModelHost(runtime);
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
  const { backend, fallbackReason } = runtime;
  port.postMessage({
    kind: 'started',
    backend,
    ...(fallbackReason !== undefined && { fallbackReason }),
  } satisfies Answer);
}

await serve();
