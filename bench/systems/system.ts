import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { within } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';
import type { Load } from '../generator/generator.js';
import type { BenchHarness } from '../harness.js';
import type { ModelName, WireFormat } from '../workloads.js';

/** A system that answers prediction requests from Kafka. One runs at a time. */
export interface System {
  /** Name in the results and on the command line. */
  readonly name: string;
  readonly wireFormat: WireFormat;
  /** Starts the system with one model and resolves once it serves. */
  start(harness: BenchHarness, model: ModelName): Promise<RunningSystem>;
}

export interface RunningSystem {
  /** The process whose processor time is measured. */
  readonly pid: number;
  /** Topics and matching for the generator. */
  readonly address: Pick<Load, 'requestTopic' | 'replyTopic' | 'match' | 'header'>;
  stop(): Promise<void>;
}

/** Returns the topics of a model, for a node or another system on the same topics. */
export function addressOf(prefix: string, model: string): RunningSystem['address'] {
  const topics = topicNames(prefix);
  return { requestTopic: topics.requests(model), replyTopic: topics.replies(model) };
}

const READY_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 10_000;

/** Resolves with the first output line of a child that satisfies `isReady`. @throws Error with its last output if it exits before */
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

/** Stops a child gracefully, and by force after a time limit. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}
