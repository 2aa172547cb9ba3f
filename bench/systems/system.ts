import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { within } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';
import type { Load } from '../generator/generator.js';
import type { BenchHarness } from '../harness.js';
import type { ModelName, Speech } from '../workloads.js';

/** Something that answers prediction requests from Kafka. One runs at a time. */
export interface System {
  /** As in the results and on the command line. */
  readonly name: string;
  readonly wireFormat: Speech;
  /** Starts it with one model and resolves when it serves. */
  start(laboratory: BenchHarness, model: ModelName): Promise<RunningSystem>;
}

export interface RunningSystem {
  /** The process whose processor time is measured. */
  readonly pid: number;
  /** Where and how the generator must speak to it. */
  readonly address: Pick<Load, 'requestTopic' | 'replyTopic' | 'match' | 'header'>;
  stop(): Promise<void>;
}

/** Where a node, or whatever stands on the same topics, is spoken to about a model. */
export function addressOf(prefix: string, model: string): RunningSystem['address'] {
  const topics = topicNames(prefix);
  return { requestTopic: topics.requests(model), replyTopic: topics.replies(model) };
}

const READY_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 10_000;

/** Resolves with the first line of a child's output that `isReady`; a child that ends before is an error with its last words. */
export async function untilReady(
  child: ChildProcess,
  name: string,
  isReady: (line: string) => boolean,
): Promise<void> {
  const lines: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    const read = (line: string): void => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      if (isReady(line)) resolve();
    };
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', read);
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`${name} ended with exit code ${code}: ${lines.join('\n')}`)),
    );
  });
  await within(READY_LIMIT_MS, ready, () => new Error(`${name} did not serve in time: ${lines.join('\n')}`));
}

/** Ends a child in order, at last by force. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}
