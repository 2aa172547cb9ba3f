import { parentPort, workerData } from 'node:worker_threads';
import { CallGuard } from '../call-guard.js';
import { ModelHost } from './host.js';
import { Loaders } from './loaders.js';
import type { EngineResponse, EngineRequest, ThreadData } from './messages.js';

/** Handles requests one at a time, in order. */
function serve(): void {
  const port = parentPort;
  if (!port) throw new Error('this file must be started as a worker thread');
  const { backend, guard } = workerData as ThreadData;
  const host = new ModelHost(new Loaders({ backend, guard: new CallGuard(guard) }));
  const waiting: EngineRequest[] = [];
  let isBusy = false;

  const handleAll = async (): Promise<void> => {
    isBusy = true;
    for (let request = waiting.shift(); request; request = waiting.shift()) {
      const response = await host.handle(request);
      port.postMessage(response, buffersOf(response));
    }
    isBusy = false;
  };

  port.on('message', (request: EngineRequest) => {
    waiting.push(request);
    if (!isBusy) void handleAll();
  });
  port.postMessage({ kind: 'started' } satisfies EngineResponse);
}

function buffersOf(response: EngineResponse): ArrayBuffer[] {
  if (response.kind === 'results') return response.outcomes.flatMap(buffersOf);
  return response.kind === 'result' ? [...response.buffers] : [];
}

serve();
