import { SingleBar } from 'cli-progress';
import type { Config } from '../../core/config/config.js';
import type { LocalCluster } from '../../local-cluster/cluster.js';
import { loadDigits, loadExpectations, PIXELS, type Digits } from '../../examples/digits/dataset.js';
import { connect, type Attempt, type Inputs, type PartituraClient } from '../../producers/index.js';
import { endCluster, startFromFlags, type UpFlags } from '../commands/up.js';
import { print, printJson, printError } from '../output.js';
import { stopSignal, stopped, unlessStopped } from '../signals.js';
import { describe, problemsOf, summarize, type DemoAttempt, type DemoReport } from './report.js';

export interface DemoFlags extends UpFlags {
  readonly exit: boolean;
  readonly inflight: number;
}

/** Uncounted warm-up requests, which pay for connections and just-in-time compilation. */
const WARM_UP_REQUESTS = 200;

/**
 * Starts a cluster, streams all handwritten digits through it, prints a report, and keeps the cluster up unless --exit is given.
 * @throws Error if a reply is missing or wrong, or the accuracy is below that of the model in training
 */
export async function runDemo(config: Config, flags: DemoFlags, ownBroker: boolean): Promise<void> {
  const signal = stopSignal();
  const cluster = await unlessStopped(
    startFromFlags(config, { ...flags, coordinator: false }, ownBroker, signal),
    signal,
  );
  if (!cluster) return;
  const leaving = new AbortController();
  const streaming = stream(cluster, config, flags, leaving.signal);
  try {
    const streamed = await Promise.race([streaming, cluster.failed, stopped(signal)]);
    if (streamed instanceof Error) throw streamed;
    if (typeof streamed === 'string') return refuseIncomplete(flags, streamed);
    report(streamed, flags.json);
    if (flags.exit) return;
    explain(cluster);
    const end = await Promise.race([cluster.failed, stopped(signal)]);
    if (end instanceof Error) throw end;
  } finally {
    leaving.abort();
    await streaming.catch(() => undefined);
    await endCluster(cluster);
  }
}

/** @throws Error with --exit, so that a missing report is never mistaken for success */
function refuseIncomplete({ exit }: DemoFlags, signal: string): void {
  if (exit) throw new Error(`expected a report, got ${signal} before it was complete`);
}

async function stream(
  { brokers }: LocalCluster,
  config: Config,
  { inflight: maxInflight }: DemoFlags,
  signal: AbortSignal,
): Promise<DemoReport> {
  const client = await connect({ ...config, brokers });
  try {
    const digits = loadDigits();
    await warmUp(client, digits, { maxInflight, signal });
    const answers: DemoAttempt[] = [];
    const startedAt = performance.now();
    await askAll(client, digits, { maxInflight, signal }, answers);
    return summarize(answers, (performance.now() - startedAt) / 1_000);
  } finally {
    await client.close();
  }
}

interface Pace {
  readonly maxInflight: number;
  /** Aborts the stream. */
  readonly signal: AbortSignal;
}

async function warmUp(client: PartituraClient, digits: Digits, pace: Pace): Promise<void> {
  const first = digits.pixels.slice(0, WARM_UP_REQUESTS).map(toInputs);
  for await (const attempt of client.predictMany('digits', first, pace)) {
    if ('error' in attempt) throw attempt.error;
  }
}

async function askAll(
  client: PartituraClient,
  digits: Digits,
  pace: Pace,
  answers: DemoAttempt[],
): Promise<void> {
  const bar = progressBar();
  const sentAt: number[] = [];
  const arrivedAt: number[] = [];
  const ask = function* (): Generator<Inputs> {
    for (const pixels of digits.pixels) {
      sentAt.push(performance.now());
      yield toInputs(pixels);
    }
  };
  bar?.start(digits.pixels.length, 0);
  const onReply = (attempt: Attempt): void => void (arrivedAt[attempt.index] = performance.now());
  for await (const attempt of client.predictMany('digits', ask(), { ...pace, onSettled: onReply })) {
    if (pace.signal.aborted) break;
    const { index } = attempt;
    const latencyMs = (arrivedAt[index] ?? NaN) - (sentAt[index] ?? NaN);
    answers.push({
      attempt,
      label: digits.labels[index] ?? NaN,
      heldBack: digits.heldBack[index] ?? false,
      latencyMs,
    });
    bar?.update(answers.length);
  }
  bar?.stop();
}

function toInputs(pixels: Float32Array): Inputs {
  return { pixels: { data: pixels, shape: [1, PIXELS] } };
}

/** Returns undefined unless stderr is a terminal. */
function progressBar(): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  return new SingleBar({
    format: 'digits {bar} {value}/{total} ({percentage} %)',
    stream: process.stderr,
    hideCursor: true,
    // Signals are handled by the command; the bar stops with the stream.
    gracefulExit: false,
  });
}

function report(result: DemoReport, json: boolean): void {
  if (json) printJson({ event: 'report', ...result });
  else for (const line of describe(result)) print(line);
  const problems = problemsOf(result, loadExpectations());
  if (problems.length > 0) throw new Error(problems.join('; '));
}

function explain({ brokers, gateway }: LocalCluster): void {
  const at = brokers.join(',');
  const url = gateway?.process.ready.gateway;
  const curl = url && `  curl -d @examples/digits/request.json ${url}/v2/models/digits/infer\n`;
  printError(`
The cluster keeps running; press Ctrl-C to stop it. From another terminal in this folder:

  npx partitura predict digits --file examples/digits/request.json --brokers ${at}
  kcat -P -b ${at} -t partitura.digits.requests examples/digits/request.json
  kcat -C -b ${at} -t partitura.digits.replies -o beginning -e -q
${curl ?? ''}`);
}
