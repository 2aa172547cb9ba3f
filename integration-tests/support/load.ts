import type { InferenceReply } from '../../schemas/generated.js';
import { eventually } from './eventually.js';
import { floats, valuesOf, type RawClient } from './raw-client.js';

interface Asked {
  readonly correlation: string;
  readonly values: number[];
}

export interface SteadyLoad {
  answeredAtLeast(count: number, limitMs?: number): Promise<void>;
  answeredBy(node: string, count: number, limitMs?: number): Promise<void>;
  sentSoFar(): number;
  /** Stops sending, waits until all requests are answered, and returns them. */
  stop(limitMs?: number): Promise<Asked[]>;
  valuesIn(reply: InferenceReply): number[];
}

const EVERY_MS = 10;
const AT_ONCE = 5;

/** Sends five rows with distinct values every ten milliseconds until it is stopped. */
export function steadyLoad(rawClient: RawClient, topic: string, model: string, atOnce = AT_ONCE): SteadyLoad {
  const asked: Asked[] = [];
  const timer = setInterval(() => {
    for (let index = 0; index < atOnce; index++) {
      const number = asked.length;
      const values = [number, number / 2, -number, 1];
      const correlation = rawClient.request(
        topic,
        { id: `r-${number}`, model, inputs: [floats('x', [1, 4], values)] },
        { key: `k-${number % 50}` },
      );
      asked.push({ correlation, values });
    }
  }, EVERY_MS);
  const answersOf = (node: string): number =>
    asked.filter(({ correlation }) => rawClient.repliesTo(correlation)[0]?.node === node).length;
  return {
    answeredAtLeast: (count, limitMs) =>
      eventually(`${count} answers`, () => rawClient.replies.size >= count, limitMs),
    answeredBy: (node, count, limitMs) =>
      eventually(`${count} answers of ${node}`, () => answersOf(node) >= count, limitMs),
    sentSoFar: () => asked.length,
    async stop(limitMs) {
      clearInterval(timer);
      await rawClient.answered(
        asked.map(({ correlation }) => correlation),
        limitMs,
      );
      return asked;
    },
    valuesIn: ({ outputs }) => valuesOf(outputs[0]),
  };
}
