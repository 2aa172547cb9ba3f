import { LiveJobs } from '../cluster/jobs/live-jobs.js';
import { LiveNodes } from '../cluster/live-nodes.js';
import { JOBS, replyTopicPolicy } from '../cluster/topics.js';
import { connect } from '../consumers/node/connect.js';
import { createFoundation, type Foundation } from '../consumers/node/foundation.js';
import { createReplyPublisher } from '../consumers/node/reply-publisher.js';
import { NO_SPANS } from '../consumers/records/record-spans.js';
import { RecordConsumer } from '../consumers/records/record-consumer.js';
import type { Outcome } from '../consumers/requests/replies/outcome.js';
import { RequestReader } from '../consumers/requests/request-reader.js';
import type { Config } from '../core/config/config.js';
import type { Logger } from '../core/log.js';
import { Slots } from '../core/slots.js';
import { serveHealth, type HealthServer } from '../core/telemetry.js';
import type { KafkaClient } from '../kafka/port.js';
import { nodeReadLimits } from '../kafka/record-batches/read-limits.js';
import { PartitionChooser } from '../producers/partition-chooser.js';
import { RequestChannel } from '../producers/request-channel.js';
import { JobFolder } from './files/job-folder.js';
import { inputsFrom } from './model-inputs.js';
import { Jobs, type JobWork } from './jobs/job-handler.js';
import { sendThrough } from './send-part.js';

/** Bytes of one job's parts and results in memory. */
const JOB_BYTES = 64 * 1024 * 1024;
/** Space that a part's request takes beside its largest tensor, bytes. */
const REQUEST_HEADROOM = 4_096;

interface Connections {
  readonly channel: RequestChannel;
  readonly nodes: LiveNodes;
  readonly jobs: LiveJobs;
}

interface CoordinatorParts extends Connections {
  readonly foundation: Foundation;
  readonly consumer: RecordConsumer<JobWork, Outcome>;
  readonly health: HealthServer;
}

/**
 * A coordinator of split jobs: cuts each job into parts, has nodes compute them, and joins the results. It keeps no state of
 * its own: when one dies, another continues its jobs.
 */
export class Coordinator {
  private constructor(readonly parts: CoordinatorParts) {}

  static async create(config: Config, kafka: KafkaClient, log: Logger): Promise<Coordinator> {
    const limits = { ...config, maxInflightRequests: config.jobsAtOnce };
    const foundation = createFoundation(limits, kafka, log, NO_SPANS);
    const { metrics, lifecycle } = foundation;
    const onClosed = (error: Error): void => lifecycle.fail(error);
    const nodes = new LiveNodes(kafka, config, log);
    const chooser = new PartitionChooser(nodes, config.prefix);
    const options = { retryLimitMs: config.jobPartTimeoutMs, maxInflight: 10_000, chooser, onClosed };
    const channel = new RequestChannel(config, kafka, options, log);
    const jobs = new LiveJobs(kafka, config, log);
    const consumer = createConsumer(foundation, { channel, nodes, jobs });
    const health = await serveHealth(config.httpHost, config.httpPort, metrics.registry, {
      healthy: () => lifecycle.isHealthy,
      ready: () => lifecycle.state === 'READY',
      details: () => ({ coordinator: foundation.id, state: lifecycle.state }),
    });
    return new Coordinator({ foundation, channel, nodes, jobs, consumer, health });
  }

  get id(): string {
    return this.parts.foundation.id;
  }

  /** Address of /metrics, /healthz and /readyz. */
  get healthUrl(): string {
    return this.parts.health.url;
  }

  /** Resolves with the reason if it cannot continue. */
  get failed(): Promise<Error> {
    return this.parts.foundation.lifecycle.failed;
  }

  /** Connects and takes jobs. Waits for brokers that are unavailable. @throws KafkaError if the cluster refuses it */
  async start(): Promise<void> {
    const { foundation, channel, nodes, jobs, consumer } = this.parts;
    const { lifecycle, log } = foundation;
    await connect(foundation);
    await Promise.all([channel.open(), nodes.start(), jobs.start()]);
    await consumer.start();
    lifecycle.ready();
    log.info({ coordinator: this.id, health: this.healthUrl }, 'coordinator ready');
  }

  /** Leaves the group at once: another coordinator continues the running jobs after their last delivered part. */
  async close(): Promise<void> {
    const { foundation, channel, nodes, jobs, consumer, health } = this.parts;
    const { lifecycle, outbox, producer, admin } = foundation;
    lifecycle.drain();
    await consumer.abandon();
    await Promise.allSettled([channel.close(), nodes.close(), jobs.close(), outbox.close()]);
    await Promise.allSettled([producer.close(), admin.close(), health.close()]);
  }
}

function createConsumer(foundation: Foundation, connections: Connections): RecordConsumer<JobWork, Outcome> {
  const { config, kafka, topics, inFlight, admin, metrics, lifecycle, log } = foundation;
  const { commitIntervalMs, drainTimeoutMs, sessionTimeoutMs, fetchMaxBytes } = config;
  const group = topics.group(JOBS);
  const topic = topics.jobs;
  const readLimits = nodeReadLimits(config);
  const consumer = kafka.consumer({
    group,
    topic,
    from: 'earliest',
    sessionTimeoutMs,
    fetchMaxBytes,
    readLimits,
  });
  const onStopped = (error: Error): void => lifecycle.fail(error);
  return new RecordConsumer(
    consumer,
    createHandler(foundation, connections),
    { model: JOBS, group, ordered: false, commitIntervalMs, drainTimeoutMs, now: Date.now, onStopped },
    {
      inFlight: inFlight.share(),
      readPositions: () => admin.committed(group, topic),
      metrics,
      spans: NO_SPANS,
      log,
    },
  );
}

function createHandler(foundation: Foundation, { channel, nodes, jobs }: Connections): Jobs {
  const { id, config, topics, outbox, destinations, schemas } = foundation;
  const { maxRecordBytes, replyTopics, jobFiles, jobsAtOnce } = config;
  const isReplyTopicAllowed = replyTopicPolicy(replyTopics, topics.own);
  return new Jobs({
    coordinator: id,
    topics,
    reader: new RequestReader({ node: id, maxRecordBytes, isReplyTopicAllowed, schemas }),
    publisher: createReplyPublisher(foundation),
    destinations,
    outbox,
    known: jobs,
    slots: new Slots(jobsAtOnce),
    runs: {
      order: {
        files: new JobFolder(jobFiles),
        inputsOf: inputsFrom(nodes),
        maxPartBytes: maxRecordBytes - REQUEST_HEADROOM,
      },
      send: sendThrough(channel, config.jobPartTimeoutMs),
      limits: { parts: config.jobPartsAtOnce, bytes: JOB_BYTES, retryMs: config.jobPartTimeoutMs },
      now: Date.now,
    },
  });
}
