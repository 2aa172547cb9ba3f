import type { Command } from 'commander';
import { expectedWaitMs } from '../../cluster/expected-wait.js';
import { isFinished, type JobStatus } from '../../cluster/jobs/job-status.js';
import { readNodes, type KnownNode } from '../../cluster/node-directory.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import { oneLine } from '../../core/printable.js';
import { createInspector } from '../../kafka/client.js';
import type { KafkaClient } from '../../kafka/port.js';
import type { Finding } from '../../operations/doctor/finding.js';
import { runChecks } from '../../operations/doctor/run-checks.js';
import { readJobs } from '../../operations/jobs/read-jobs.js';
import { isInternal } from '../../schemas/model-name.js';
import { kafkaFor } from '../kafka.js';
import { CONNECTION, withOptions, type ConfigOf } from '../options.js';
import { print, printJson, table } from '../output.js';
import { jobTable } from './job/with-jobs.js';

/** A model with its queue, over all nodes. */
interface ModelState {
  readonly model: string;
  readonly versions: readonly string[];
  readonly nodes: number;
  /** Rows that nodes hold, and records that they have not read. */
  readonly waiting: number;
  readonly rowsPerSecond: number;
  readonly expectedWaitMs: number;
}

interface ClusterState {
  readonly nodes: readonly KnownNode[];
  readonly models: readonly ModelState[];
  /** Jobs that run. */
  readonly jobs: readonly JobStatus[];
  /** Findings of `doctor` that need attention. */
  readonly problems: readonly Finding[];
}

const CLIENT_ID = 'partitura-status';
/** Longest deadline that the checks assume, milliseconds; `doctor` has an option for it. */
const DEADLINE_MS = 30_000;

/** Adds `status`. */
export function addStatusCommand(program: Command, configOf: ConfigOf): void {
  const command = program
    .command('status')
    .description(
      'show the cluster on one screen: nodes, models with their queues, running jobs, and problems with their fixes',
    );
  withOptions(command, [...CONNECTION, 'maxRecordBytes', 'schemaRegistryUrl', 'schemaRegistryUserInfo'])
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nThe exit code is 1 if there is a problem.\n\nExample:\n  partitura status --brokers kafka:9092',
    )
    .action((flags: { readonly json: boolean }) => runStatus(configOf({ ...flags }), flags));
}

/** @throws Error if there is a problem, KafkaError if the cluster cannot be reached */
async function runStatus(config: Config, { json }: { readonly json: boolean }): Promise<void> {
  const state = await readState(config);
  if (json) printJson(state);
  else printState(state);
  const count = state.problems.filter(({ level }) => level === 'problem').length;
  if (count > 0) throw new Error(`status: ${count} problem${count === 1 ? '' : 's'} found`);
}

async function readState(config: Config): Promise<ClusterState> {
  const kafka = kafkaFor(config);
  const [nodes, jobs, findings] = await Promise.all([
    readNodes(kafka, config, Date.now()),
    readJobs(kafka, config),
    check(kafka, config),
  ]);
  return {
    nodes,
    models: modelStates(nodes, config.prefix, Date.now()),
    jobs: jobs.filter((job) => !isFinished(job)),
    problems: findings.filter(({ level }) => level === 'problem' || level === 'warning'),
  };
}

async function check(kafka: KafkaClient, config: Config): Promise<Finding[]> {
  const admin = kafka.admin();
  const inspector = createInspector(config, CLIENT_ID);
  try {
    return await runChecks({ kafka, admin, inspector, config, deadlineMs: DEADLINE_MS });
  } finally {
    inspector.close();
    await admin.close();
  }
}

function modelStates(nodes: readonly KnownNode[], prefix: string, now: number): ModelState[] {
  const alive = nodes.filter((node) => node.alive);
  const names = new Set(alive.flatMap(({ models }) => models.map(({ model }) => model)));
  return [...names]
    .filter((model) => !isInternal(model))
    .sort()
    .map((model) => {
      const topic = topicNames(prefix).requests(model);
      const versions = alive.flatMap((node) =>
        node.models.filter((one) => one.model === model && one.state === 'AVAILABLE'),
      );
      const unread = alive.flatMap(({ partitions }) => partitions.filter((one) => one.topic === topic));
      return {
        model,
        versions: [...new Set(versions.map(({ version }) => version))].sort((a, b) => Number(a) - Number(b)),
        nodes: alive.filter((node) =>
          node.models.some((one) => one.model === model && one.state === 'AVAILABLE'),
        ).length,
        waiting: sum(versions, ({ load }) => load?.pendingRows ?? 0) + lagOf(unread),
        rowsPerSecond: sum(versions, ({ load }) => load?.rowsPerSecond ?? 0),
        expectedWaitMs: expectedWaitMs({ model, topic }, nodes, now),
      };
    });
}

/** Adds the lags of partitions; all nodes of a queue report the same partition. */
function lagOf(owned: readonly { readonly partition: number; readonly lagRecords: number }[]): number {
  const lags = new Map<number, number>();
  for (const { partition, lagRecords } of owned)
    lags.set(partition, Math.max(lags.get(partition) ?? 0, lagRecords));
  return sum([...lags.values()], (lag) => lag);
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}

function printState({ nodes, models, jobs, problems }: ClusterState): void {
  print(table(['NODE', 'STATE', 'MODELS', 'IN FLIGHT', 'LOAD'], nodes.map(nodeRow)));
  print('');
  print(table(['MODEL', 'VERSIONS', 'NODES', 'WAITING', 'ROWS/S', 'EXPECTED WAIT'], models.map(modelRow)));
  if (jobs.length > 0) {
    print('');
    print(jobTable(jobs));
  }
  print('');
  if (problems.length === 0) print('no problems');
  for (const { level, message, fix } of problems) {
    // Findings contain node names and messages, which any client may have written.
    print(`${level}: ${oneLine(message)}`);
    if (fix !== null) print(`  fix: ${oneLine(fix)}`);
  }
}

function nodeRow({ node, alive, state, models, inflightRequests, capacityRequests }: KnownNode): string[] {
  const served = models.filter((one) => one.state === 'AVAILABLE').length;
  const share = capacityRequests === 0 ? 0 : Math.round((100 * inflightRequests) / capacityRequests);
  return [node, alive ? state : 'silent', String(served), String(inflightRequests), `${share} %`];
}

function modelRow({
  model,
  versions,
  nodes,
  waiting,
  rowsPerSecond,
  expectedWaitMs: waitMs,
}: ModelState): string[] {
  return [
    model,
    versions.join(' '),
    String(nodes),
    String(waiting),
    rowsPerSecond === 0 ? '' : Math.round(rowsPerSecond).toLocaleString('en'),
    `${Math.round(waitMs)} ms`,
  ];
}
