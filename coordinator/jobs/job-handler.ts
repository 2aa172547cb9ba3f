import { JOBS, type TopicNames } from '../../cluster/topics.js';
import { partHeaders } from '../../cluster/jobs/job-headers.js';
import { isFinished, JOB_ID, type JobStatus } from '../../cluster/jobs/job-status.js';
import type { LiveJobs } from '../../cluster/jobs/live-jobs.js';
import { CancelledError, type Answer } from '../../consumers/batching/batch.js';
import type { RecordHandler } from '../../consumers/records/record-handler.js';
import type { RunningJob } from '../../consumers/records/record-job.js';
import type { Destinations } from '../../consumers/requests/replies/destinations.js';
import { errorReply, outcomeName, type Outcome } from '../../consumers/requests/replies/outcome.js';
import type { ReplyPublisher } from '../../consumers/requests/replies/publisher.js';
import type { ReadRequest, RequestReader } from '../../consumers/requests/request-reader.js';
import { deliverable } from '../../consumers/requests/replies/deliverable.js';
import type { Slots } from '../../core/slots.js';
import type { KafkaRecord } from '../../kafka/port.js';
import type { Outbox } from '../../kafka/sending/outbox.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { InferenceReply } from '../../schemas/generated.js';
import type { FailureStage } from '../../schemas/headers/headers.js';
import { isModelName } from '../../schemas/model-name.js';
import { JobRun, type JobEnd, type RunParts } from './job-run.js';
import { reportEnd, StatusReport } from './status-report.js';

/** A job that a record asks for. */
export interface JobWork extends ReadRequest {
  readonly jobKind: string;
  /** Set once it runs. */
  run?: JobRun;
  /** Set once its result is known. */
  end?: JobEnd;
}

export interface HandlerParts {
  readonly coordinator: string;
  readonly topics: TopicNames;
  readonly reader: RequestReader;
  readonly publisher: ReplyPublisher;
  readonly destinations: Destinations;
  readonly outbox: Outbox;
  readonly known: LiveJobs;
  /** Jobs that run at once. */
  readonly slots: Slots;
  /** Parts of runs that are the same for all jobs. */
  readonly runs: Pick<RunParts, 'send' | 'limits' | 'now'> & {
    readonly order: Omit<RunParts['order'], 'request'>;
  };
}

/** Interval at which running jobs are checked for orders to cancel, deadlines and lost partitions, milliseconds. */
const CHECK_MS = 200;

/** Handles the records of the topic of jobs: each job runs here, and its result is its outcome. */
export class Jobs implements RecordHandler<JobWork, Outcome> {
  /** Last status of jobs whose outcome is on its way. */
  readonly #lastStatus = new WeakMap<KafkaRecord, JobStatus>();

  /** Jobs that run here, by id. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(readonly parts: HandlerParts) {}

  whenDecodable(): undefined {
    return undefined;
  }

  decide(record: KafkaRecord): JobWork | Outcome {
    const read = this.parts.reader.read(record, JOBS);
    if ('kind' in read) return read;
    const { request } = read;
    const kind = request.model === JOBS ? (request.parameters['kind'] ?? '') : request.model;
    // An earlier coordinator ended after the job did, but before it committed: the caller has the result.
    if (this.#isFinished(request.id)) return { kind: 'cancelled', record };
    if (!JOB_ID.test(request.id)) {
      const wrong = invalidRequest(`id: expected 1 to 200 letters, digits and . _ -, got '${request.id}'`);
      return this.parts.reader.refuse(record, read.caller, request, wrong);
    }
    if (isModelName(kind)) return { request, caller: read.caller, jobKind: kind };
    const error = invalidRequest(`kind: expected the name of a kind of jobs, got '${kind}'`);
    return this.parts.reader.refuse(record, read.caller, request, error);
  }

  start(work: JobWork, job: RunningJob<JobWork>): void {
    void this.parts.slots.run(() => this.#run(work, job));
  }

  /** Runs a job after an earlier run of the same id here, which may be one whose partition was lost and is back. */
  async #run(work: JobWork, job: RunningJob<JobWork>): Promise<void> {
    const { id } = work.request;
    const before = this.#running.get(id) ?? Promise.resolve();
    const running = before.then(() => this.#runOnce(work, job));
    this.#running.set(id, running);
    await running;
    if (this.#running.get(id) === running) this.#running.delete(id);
  }

  async #runOnce(work: JobWork, job: RunningJob<JobWork>): Promise<void> {
    try {
      // Another coordinator may have ended the job while this one waited for its turn.
      await this.parts.known.readToEnd();
      if (job.isRevoked) return job.failed(new Error('another coordinator has the job'));
      if (this.#isFinished(work.request.id)) return job.failed(new CancelledError('the job has ended'));
      const undeliverable = await this.#undeliverable(work, job.record);
      if (undeliverable) return job.failed(undeliverable);
    } catch (cause) {
      return job.failed(cause);
    }
    await this.#runReported(work, job);
  }

  #isFinished(id: string): boolean {
    const status = this.parts.known.get(id);
    return status !== undefined && isFinished(status);
  }

  /** Returns the reason why results cannot be delivered; a job is not computed in vain. */
  async #undeliverable(
    { caller, request }: JobWork,
    record: KafkaRecord,
  ): Promise<PartituraError | undefined> {
    const reply = replyOf(request.id, request.model, this.parts.coordinator, []);
    const found = await this.ensureDeliverable({ kind: 'reply', record, caller, reply, deadline: null });
    return found.kind === 'dead-letter' ? found.error : undefined;
  }

  async #runReported(work: JobWork, job: RunningJob<JobWork>): Promise<void> {
    const run = new JobRun(work.jobKind, this.#runParts(work, job.record));
    const report = new StatusReport(
      this.parts.outbox,
      this.parts.topics.jobStatus,
      () => run.status,
      () => !job.isRevoked,
    );
    work.run = run;
    await report.begun;
    const watch = setInterval(() => this.#check(work, run, job.isRevoked), CHECK_MS);
    try {
      work.end = await run.run();
      const { caller, request } = work;
      const last = replyOf(request.id, request.model, this.parts.coordinator, work.end.last);
      const problem = this.parts.publisher.problemOf(caller, last);
      if (problem) job.failed(problem);
      else job.answered(answerOf(work.end));
    } catch (cause) {
      job.failed(cause);
    } finally {
      clearInterval(watch);
      report.stop();
    }
  }

  #runParts({ request, caller }: JobWork, record: KafkaRecord): RunParts {
    const { runs, known, topics } = this.parts;
    return {
      ...runs,
      order: { ...runs.order, request },
      replies: {
        position: 0,
        close: () => Promise.resolve(),
        deliver: this.#deliverTo(record, caller, request),
      },
      earlier: known.get(request.id),
      submittedAt: record.timestamp,
      replyTopic: caller.address.topic ?? topics.replies(JOBS),
    };
  }

  #deliverTo(
    record: KafkaRecord,
    caller: ReadRequest['caller'],
    { id, model }: ReadRequest['request'],
  ): RunParts['replies']['deliver'] {
    return (outputs, index) => {
      const reply = replyOf(id, model, this.parts.coordinator, outputs);
      const headers = partHeaders(index);
      const part = { kind: 'reply', record, caller, reply, deadline: null, headers } as const;
      return this.parts.publisher.publishPart(part, JOBS);
    };
  }

  #check({ request }: JobWork, run: JobRun, isRevoked: boolean): void {
    const { known, runs } = this.parts;
    const late = request.deadline === null ? 0 : runs.now() - request.deadline;
    if (isRevoked) run.abort(new Error('another coordinator has the job'));
    else if (known.isCancelled(request.id))
      run.abort(new PartituraError('JOB_CANCELLED', 'the job was cancelled'));
    else if (late > 0)
      run.abort(
        new PartituraError('DEADLINE_EXCEEDED', `deadline passed ${late} ms ago, before the job was done`),
      );
  }

  answered(record: KafkaRecord, { caller, request, run, end }: JobWork, { outputs }: Answer): Outcome {
    if (run) this.#lastStatus.set(record, run.ended(undefined));
    const reply = replyOf(
      request.id,
      request.model,
      this.parts.coordinator,
      outputs as InferenceReply['outputs'],
    );
    const headers = end ? partHeaders(end.index, end.parts) : {};
    return { kind: 'reply', record, caller, reply, deadline: null, headers };
  }

  failed(record: KafkaRecord, { caller, request, run }: JobWork, cause: unknown): Outcome {
    if (cause instanceof CancelledError) return { kind: 'cancelled', record };
    const error = PartituraError.from(cause);
    if (run) this.#lastStatus.set(record, run.ended(error));
    const reply = errorReply(request, error, this.parts.coordinator);
    return { kind: 'reply', record, caller, reply, deadline: null };
  }

  deadLetter(record: KafkaRecord, stage: FailureStage, error: PartituraError): Outcome {
    return { kind: 'dead-letter', record, stage, error };
  }

  ensureDeliverable(outcome: Outcome): Outcome | Promise<Outcome> {
    return deliverable(outcome, this.parts.destinations);
  }

  overtakes(): boolean {
    return false;
  }

  released(outcome: Outcome): Outcome {
    return outcome;
  }

  outcomeName(outcome: Outcome): string {
    return outcomeName(outcome);
  }

  publish(outcome: Outcome, acknowledged: () => void): void {
    const status = this.#lastStatus.get(outcome.record);
    this.parts.publisher.publish(outcome, JOBS, () => {
      if (!status) return acknowledged();
      void reportEnd(this.parts.outbox, this.parts.topics.jobStatus, status).then(acknowledged);
    });
  }
}

function replyOf(id: string, model: string, node: string, outputs: JobEnd['last']): InferenceReply {
  return { id, model, modelVersion: null, outputs: [...outputs], error: null, node, timing: null };
}

function answerOf({ last, parts }: JobEnd): Answer {
  return { outputs: last as Answer['outputs'], queueMs: 0, computeMicros: 0, batchRows: parts };
}
