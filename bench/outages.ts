import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Connection, describeQuorumV2 } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { checkConfig, type Config, type ConfigInput } from '../core/config/config.js';
import type { KafkaClientName } from '../core/config/kafka.js';
import { startBrokerGroup } from '../local-cluster/broker-group.js';
import { startLocalBroker, type LocalBroker } from '../local-cluster/broker.js';
import { startNodeProcess, type NodeProcess } from '../local-cluster/role-process.js';
import { freePort } from '../local-cluster/ports.js';
import { superviseNode, type SupervisedNode } from '../local-cluster/supervised-process.js';
import { connect, PartituraError, type InputTensor, type PartituraClient } from '../producers/index.js';
import { createLogger } from '../core/log.js';
import { topicNames } from '../cluster/topics.js';
import { Line } from './line.js';
import { whenWritable } from './writable.js';

const SESSION_TIMEOUT_MS = 10_000;
const REQUESTS_PER_SECOND = 50;
/** Enough keys to cover every partition. */
const KEYS = 64;
const QUIET_BEFORE_MS = 5_000;
/** Limit until every request has its reply. */
const REPLY_LIMIT_MS = 120_000;
/** Duration of an outage of a node or line: longer than any session. */
const AWAY_MS = 25_000;
const BROKER_AWAY_MS = 5_000;
const AFTER_MS = 5_000;
const PREFIX = 'bench';
const PARTITIONS = 4;
const PARTITIONS_AFTER = 8;
const DIGITS = fileURLToPath(new URL('../../examples/onnx-models/digits', import.meta.url));
/** A model that divides INT32; -2^31 by -1 terminates its process with SIGFPE. */
const DIVIDE = fileURLToPath(new URL('../../integration-tests/fixtures/models/divide-onnx', import.meta.url));
/** Limit until the crash is detected and the session of the dead member expires. */
const CRASH_LIMIT_MS = 60_000;

type BenchNode = Pick<NodeProcess | SupervisedNode, 'stop' | 'kill'>;

/** The cluster into which a fault is injected. */
interface FaultContext {
  /** One broker, or three if the fault needs them. */
  readonly brokers: readonly LocalBroker[];
  readonly bootstrap: string;
  /** The node that reaches the brokers over the line. */
  readonly node: BenchNode;
  readonly line: Line | undefined;
  readonly requests: string;
  readonly client: PartituraClient;
}

export interface Fault {
  readonly name: string;
  /** Unavoidable time: the session timeout, or the duration of the fault itself. */
  readonly floorMs: number;
  readonly floor: string;
  /** True if dead nodes are restarted. */
  readonly supervised?: boolean;
  /** True for a cluster of three brokers, without the line. */
  readonly threeBrokers?: boolean;
  /** Injects the fault and reverts it where possible. @returns the floor, if it is measured */
  readonly inject: (context: FaultContext) => Promise<number | void>;
}

const FAULTS: readonly Fault[] = [
  { name: 'SIGTERM', floorMs: 0, floor: 'none', inject: async ({ node }) => void (await node.stop()) },
  {
    name: 'kill -9',
    floorMs: SESSION_TIMEOUT_MS,
    floor: 'session timeout',
    inject: ({ node }) => {
      node.kill('SIGKILL');
      return sleep(AWAY_MS);
    },
  },
  {
    name: 'pause (SIGSTOP)',
    floorMs: SESSION_TIMEOUT_MS,
    floor: 'session timeout',
    inject: async ({ node }) => {
      node.kill('SIGSTOP');
      await sleep(AWAY_MS);
      node.kill('SIGCONT');
    },
  },
  {
    name: 'line cut',
    floorMs: SESSION_TIMEOUT_MS,
    floor: 'session timeout',
    inject: async ({ line }) => {
      line?.cut();
      await sleep(AWAY_MS);
      line?.restore();
    },
  },
  {
    name: 'line silent',
    floorMs: SESSION_TIMEOUT_MS,
    floor: 'session timeout',
    inject: async ({ line }) => {
      line?.silence();
      await sleep(AWAY_MS);
      line?.restore();
    },
  },
  {
    name: 'broker killed',
    floorMs: 0,
    floor: 'time without a broker',
    inject: async ({ brokers: [broker] }) => {
      const startedAt = performance.now();
      await broker?.kill();
      await sleep(BROKER_AWAY_MS);
      await broker?.restart();
      return performance.now() - startedAt;
    },
  },
  {
    name: 'leader killed',
    floorMs: 0,
    floor: 'time until all partitions accept writes',
    threeBrokers: true,
    inject: async ({ brokers, requests }) => {
      const killed = await inactiveController(brokers);
      const startedAt = performance.now();
      await killed?.kill();
      const left = brokers.filter((broker) => broker !== killed).map(({ bootstrap }) => bootstrap);
      await whenWritable(left, [requests, topicNames(PREFIX).clientReplies]);
      const awayMs = performance.now() - startedAt;
      await sleep(AWAY_MS);
      await killed?.restart();
      return awayMs;
    },
  },
  {
    name: 'leader restarted',
    floorMs: 0,
    floor: 'none',
    threeBrokers: true,
    inject: async ({ brokers: [, leader] }) => {
      await leader?.restart();
      await sleep(AWAY_MS);
    },
  },
  {
    name: 'partitions added',
    floorMs: 0,
    floor: 'none',
    inject: async ({ bootstrap, requests }) => {
      const admin = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.createPartitions({ topicPartitions: [{ topic: requests, count: PARTITIONS_AFTER }] });
      await admin.disconnect();
      await sleep(AWAY_MS);
    },
  },
  {
    name: 'crash',
    floorMs: SESSION_TIMEOUT_MS,
    floor: 'session timeout',
    supervised: true,
    inject: async ({ client }) => {
      await crash(client);
      await sleep(AWAY_MS);
    },
  },
];

/**
 * Finds a broker that is not the active controller: killing that one first triggers a controller election, after which every
 * broker gets a new session, so that the time without leaders nearly doubles.
 */
async function inactiveController(brokers: readonly LocalBroker[]): Promise<LocalBroker | undefined> {
  const connection = new Connection('bench');
  try {
    const [host = '', port] = brokers[0]?.bootstrap.split(':') ?? [];
    await connection.connect(host, Number(port));
    const log = { topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] };
    const { topics } = await describeQuorumV2.api.async(connection, [log]);
    // The broker at index i has the id i + 1.
    const quorumLeader = (topics[0]?.partitions[0]?.leaderId ?? 0) - 1;
    return brokers.find((_, index) => index !== quorumLeader);
  } finally {
    await connection.close();
  }
}

/** Lists the faults that can be measured. */
export function knownFaults(): readonly Fault[] {
  return FAULTS;
}

/** Crashes a node with a request that no process survives. @throws Error unless the request is refused as crashing */
async function crash(client: PartituraClient): Promise<void> {
  const int32 = (value: number): InputTensor => ({ datatype: 'INT32', shape: [1], data: [value] });
  const reply = client.predict(
    'divide-onnx',
    { a: int32(-(2 ** 31)), b: int32(-1) },
    { timeoutMs: CRASH_LIMIT_MS },
  );
  const outcome = await reply.then(
    () => 'a reply',
    (error: unknown) => (error instanceof PartituraError ? error.code : String(error)),
  );
  if (outcome !== 'MODEL_CRASHED') throw new Error(`expected MODEL_CRASHED, got ${outcome}`);
}

export interface OutageResult {
  readonly client: string;
  readonly fault: string;
  /** The longest time a request waited for its reply: the time without service of its partition. */
  readonly withoutServiceMs: number;
  readonly floorMs: number;
  readonly floor: string;
  readonly requests: number;
  readonly failed: number;
}

/** Measures the time without service by fault, injected into one of two nodes, under a small steady load on all partitions. */
export async function measureOutages(
  faults: readonly Fault[],
  clients: readonly KafkaClientName[],
  report: (line: string) => void,
): Promise<OutageResult[]> {
  const models = await mkdtemp(join(tmpdir(), 'partitura-bench-models-'));
  try {
    await cp(DIGITS, join(models, 'digits'), { recursive: true });
    if (faults.some(({ supervised }) => supervised))
      await cp(DIVIDE, join(models, 'divide-onnx'), { recursive: true });
    return await measureAll(faults, clients, models, report);
  } finally {
    await rm(models, { recursive: true, force: true });
  }
}

async function measureAll(
  faults: readonly Fault[],
  clients: readonly KafkaClientName[],
  models: string,
  report: (line: string) => void,
): Promise<OutageResult[]> {
  const results: OutageResult[] = [];
  for (const client of clients)
    for (const fault of faults) {
      const result = await measureOne(client, fault, models);
      results.push(result);
      const { withoutServiceMs, floorMs, requests, failed } = result;
      report(
        `${client.padEnd(13)} ${fault.name.padEnd(17)} without service ${withoutServiceMs.toFixed(0)} ms, floor ${floorMs.toFixed(0)} ms (${fault.floor}), ${failed} of ${requests} failed`,
      );
    }
  return results;
}

async function measureOne(kafkaClient: KafkaClientName, fault: Fault, models: string): Promise<OutageResult> {
  const setup = fault.threeBrokers ? await setUpThreeBrokers() : await setUpWithLine();
  const { brokers, bootstrap } = setup;
  const nodes: BenchNode[] = [];
  let client: PartituraClient | undefined;
  try {
    const start = async (different: ConfigInput): Promise<BenchNode> => {
      const sessionTimeoutMs = SESSION_TIMEOUT_MS;
      const config = configFor(bootstrap, { models, kafkaClient, sessionTimeoutMs, ...different });
      const node = fault.supervised
        ? await superviseNode(config)
        : await startNodeProcess(config, { log: () => undefined });
      nodes.push(node);
      return node;
    };
    await start({});
    const node = await start({ brokers: setup.bootstrapOfNode });
    client = await connect(configFor(bootstrap), createLogger('bench', 'silent'));
    const load = new SteadyLoad(client);
    await sleep(QUIET_BEFORE_MS);
    load.reset();
    const requests = topicNames(PREFIX).requests('digits');
    const awayMs = await fault.inject({ brokers, bootstrap, node, line: setup.line, requests, client });
    await sleep(AFTER_MS);
    const { floorMs, floor, name } = fault;
    return { client: kafkaClient, fault: name, floor, floorMs: awayMs ?? floorMs, ...(await load.end()) };
  } finally {
    await client?.close();
    await Promise.all(nodes.map((node) => node.stop()));
    await setup.stop();
  }
}

/** Brokers, and the addresses by which the faulty node reaches them. */
interface BrokerSetup {
  readonly brokers: readonly LocalBroker[];
  readonly bootstrap: string;
  readonly bootstrapOfNode: string;
  readonly line: Line | undefined;
  stop(): Promise<void>;
}

async function setUpThreeBrokers(): Promise<BrokerSetup> {
  const group = await startBrokerGroup();
  return { ...group, bootstrapOfNode: group.bootstrap, line: undefined, stop: () => group.stop() };
}

async function setUpWithLine(): Promise<BrokerSetup> {
  const [linePort, lineTarget, controllerPort, port] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const settings = overLine(port, linePort, lineTarget, controllerPort);
  const broker = await startLocalBroker({ port, settings });
  const line = await Line.open(linePort, lineTarget);
  const stop = async (): Promise<void> => {
    await line.close();
    await broker.stop();
  };
  const { bootstrap } = broker;
  return { brokers: [broker], bootstrap, bootstrapOfNode: `127.0.0.1:${linePort}`, line, stop };
}

function configFor(bootstrap: string, different: ConfigInput = {}): Config {
  return checkConfig({
    brokers: bootstrap,
    prefix: PREFIX,
    partitions: PARTITIONS,
    engineThreads: 1,
    logLevel: 'error',
    ...different,
  });
}

/** Requests at a steady rate, regardless of earlier ones. */
class SteadyLoad {
  readonly #underWay = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #failed = 0;
  #longestMs = 0;

  constructor(readonly client: PartituraClient) {
    this.#timer = setInterval(() => this.#send(), 1_000 / REQUESTS_PER_SECOND);
  }

  #send(): void {
    const key = `key-${this.#sent++ % KEYS}`;
    const sentAt = performance.now();
    const inputs = { pixels: [new Array<number>(64).fill(1)] };
    const done = this.client
      .predict('digits', inputs, { key, timeoutMs: REPLY_LIMIT_MS })
      .then(
        () => void (this.#longestMs = Math.max(this.#longestMs, performance.now() - sentAt)),
        () => void this.#failed++,
      )
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  /** Discards the latencies so far. */
  reset(): void {
    this.#longestMs = 0;
  }

  async end(): Promise<Pick<OutageResult, 'withoutServiceMs' | 'requests' | 'failed'>> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    return { withoutServiceMs: this.#longestMs, requests: this.#sent, failed: this.#failed };
  }
}

/** Returns broker properties that advertise the line to its clients. */
function overLine(
  port: number,
  linePort: number,
  lineTarget: number,
  controllerPort: number,
): Record<string, string> {
  return {
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},LINE://127.0.0.1:${lineTarget},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},LINE://127.0.0.1:${linePort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LINE:PLAINTEXT',
  };
}
