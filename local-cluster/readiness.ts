import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { loopback } from './ports.js';

const answerLimitMs = 2_000;

// Kafka's ApiVersions request, version 0: length, API key 18, version 0, correlation id 1, no client id. A broker
// answers it only once it has joined its cluster and serves requests; before that, its port accepts connections but
// stays silent.
const apiVersionsRequest = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

export type StartResult = 'serving' | 'ended' | 'silent';

/** Waits for the broker: `ended` if its process ends first, `silent` if it is not ready within `limitMs`. */
export async function waitUntilServing(
  port: number,
  ended: Promise<unknown>,
  limitMs: number,
): Promise<StartResult> {
  const deadline = Date.now() + limitMs;
  let alive = true;
  const ending = ended.then(() => (alive = false));
  while (Date.now() < deadline) {
    if (await answersKafka(port)) return 'serving';
    await Promise.race([sleep(50), ending]);
    if (!alive) return 'ended';
  }
  return 'silent';
}

function answersKafka(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: loopback, timeout: answerLimitMs });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => socket.write(apiVersionsRequest));
    socket.once('data', () => settle(true));
    for (const failure of ['error', 'close', 'timeout'] as const) socket.once(failure, () => settle(false));
  });
}
