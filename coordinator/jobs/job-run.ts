import { rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { extname } from 'node:path';
import type { JobStatus } from '../../cluster/jobs/job-status.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { Dispatcher, type DispatchLimits, type SendPart } from '../dispatch/dispatcher.js';
import { PartsFailedError } from '../dispatch/part.js';
import { kindNamed } from '../kinds/index.js';
import type { JobOrder, JobPlan, ResultPart } from '../kinds/kind.js';
import { openFileSink } from '../results/file-sinks.js';
import type { ResultSink } from '../results/result-sink.js';

/** Parts of a coordinator that a job uses. */
export interface RunParts {
  readonly order: JobOrder;
  /** Sends a part with the job's priority. */
  readonly send: (priority: string) => SendPart;
  readonly limits: DispatchLimits;
  /** Delivers parts of the result to the caller. */
  readonly replies: ResultSink;
  /** Status that an earlier coordinator has left, if any. */
  readonly earlier: JobStatus | undefined;
  readonly submittedAt: number;
  readonly replyTopic: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Coordinators that may end while they run a job: one that ends them all is not worth another. */
const MAX_STARTS = 8;

/** The last part of a result, which ends the job. */
export interface JobEnd {
  readonly last: ResultPart;
  /** Number of the last part, and of all parts. */
  readonly index: number;
  readonly parts: number;
}

/** One job from its plan to its last part. It holds no state that a next coordinator could not find or compute again. */
export class JobRun {
  readonly #ending = new AbortController();
  readonly #startedAt: number;
  #dispatcher: Dispatcher | undefined;
  #plan: JobPlan | undefined;
  #output: string | null = null;
  #delivered: number;
  #outputBytes: number;
  readonly #starts: number;

  constructor(
    readonly kind: string,
    readonly parts: RunParts,
  ) {
    const { earlier, now } = parts;
    this.#startedAt = earlier?.startedAt || now();
    this.#delivered = earlier?.resultParts ?? 0;
    this.#outputBytes = earlier?.outputBytes ?? 0;
    this.#starts = 1 + (earlier?.starts ?? 0);
  }

  /** Ends the job; `run` rejects with the reason. */
  abort(reason: Error): void {
    this.#ending.abort(reason);
  }

  /**
   * Computes the job and delivers all parts of its result but the last one.
   * @throws PartituraError with the reason, or the reason of `abort`
   */
  async run(): Promise<JobEnd> {
    try {
      return await this.#run();
    } catch (cause) {
      this.#ending.signal.throwIfAborted();
      if (cause instanceof PartsFailedError)
        throw new PartituraError('PART_FAILED', cause.message, { cause });
      throw cause;
    } finally {
      await this.#plan?.close();
    }
  }

  async #run(): Promise<JobEnd> {
    const { order, send, limits, replies } = this.parts;
    if (this.#starts > MAX_STARTS)
      throw new PartituraError(
        'MODEL_CRASHED',
        `${MAX_STARTS} coordinators have ended while they ran this job; it is not run again`,
      );
    const kind = kindNamed(this.kind);
    const checked = kind.parameters.safeParse(parametersOf(order));
    if (!checked.success) throw wrongParameters(checked.error.issues);
    const { output, priority } = checked.data as { readonly output?: string; readonly priority: string };
    this.#output = output ?? null;
    this.#plan = await kind.plan(checked.data, order);
    if (this.#plan.isWhole) this.#delivered = this.#outputBytes = 0;
    this.#dispatcher = new Dispatcher(send(priority), limits, this.#ending.signal);
    if (output === undefined) return this.#deliver(this.#plan, this.#dispatcher, replies);
    // Written beside the output, which may be an input, and moved there once it is complete.
    const path = await order.files.output(output);
    const partial = `${path}.${order.request.id}.partial${extname(path)}`;
    const sink = await openFileSink(partial, this.#plan, this.#outputBytes);
    try {
      const { last, index } = await this.#deliver(this.#plan, this.#dispatcher, sink);
      if (last.length > 0) await this.#deliverPart(sink, last, index);
      await rename(partial, path);
      return { last: [], index: 0, parts: 1 };
    } finally {
      await sink.close();
    }
  }

  /** Delivers each part once the next one is known, so that the last one can be marked. */
  async #deliver(plan: JobPlan, dispatcher: Dispatcher, sink: ResultSink): Promise<JobEnd> {
    let held: ResultPart | undefined;
    for await (const part of plan.results(dispatcher, this.#delivered)) {
      if (held) await this.#deliverPart(sink, held, this.#delivered);
      held = part;
    }
    this.#ending.signal.throwIfAborted();
    return { last: held ?? [], index: this.#delivered, parts: this.#delivered + 1 };
  }

  async #deliverPart(sink: ResultSink, part: ResultPart, index: number): Promise<void> {
    await sink.deliver(part, index);
    this.#delivered = index + 1;
    this.#outputBytes = sink.position;
  }

  /** Status as it is now. */
  get status(): JobStatus {
    const { order, submittedAt, replyTopic, now } = this.parts;
    return {
      id: order.request.id,
      kind: this.kind,
      state: 'RUNNING',
      coordinator: `${hostname()}/${process.pid}`,
      submittedAt,
      startedAt: this.#startedAt,
      updatedAt: now(),
      starts: this.#starts,
      finishedAt: null,
      parts: this.#plan?.parts ?? null,
      partsDone: this.#dispatcher?.done.count ?? 0,
      partsRepeated: this.#dispatcher?.repeated ?? 0,
      doneRanges: this.#dispatcher?.done.toString() ?? '',
      resultParts: this.#delivered,
      outputBytes: this.#outputBytes,
      replyTopic,
      output: this.#output,
      error: null,
      failedParts: [],
    };
  }

  /** Status of the job once it has ended. @param error its failure; undefined if it is done */
  ended(error: PartituraError | undefined): JobStatus {
    const status = { ...this.status, finishedAt: this.parts.now() };
    if (!error) return { ...status, state: 'DONE', parts: status.parts ?? status.partsDone };
    const { code, message, cause } = error;
    return {
      ...status,
      state: code === 'JOB_CANCELLED' ? 'CANCELLED' : 'FAILED',
      error: { code, message },
      failedParts: cause instanceof PartsFailedError ? [...cause.parts] : [],
    };
  }
}

/** Returns the parameters of a job; those that name it or its way back are not the kind's. */
function parametersOf({ request }: JobOrder): Record<string, string> {
  const { kind: _kind, ...own } = request.parameters;
  return own;
}

function wrongParameters(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): Error {
  const problems = issues.map(
    ({ path, message }) => `parameters${path.map((one) => `.${String(one)}`).join('')}: ${message}`,
  );
  return invalidRequest(problems.join('; '));
}
