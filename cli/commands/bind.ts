import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { parseBinding, revisionOf, type BindingDefinition } from '../../cluster/bindings/definition.js';
import { refuseCircle, refuseReservedTopics } from '../../cluster/bindings/topics.js';
import { bindingRecord, readBindings, removalRecord } from '../../cluster/bindings/store.js';
import type { Config } from '../../core/config/config.js';
import { groupPositions, lagOf } from '../../kafka/reading/lag.js';
import type { KafkaClient, OutgoingRecord } from '../../kafka/port.js';
import { readNodes, type KnownNode } from '../../cluster/node-directory.js';
import { clusterTopics } from '../../cluster/topic-specs.js';
import { sleep } from '../../core/time.js';
import { topicNames } from '../../cluster/topics.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { kafkaFor, withAdmin } from '../kafka.js';
import { CLUSTER, CONNECTION, integer, withOptions, type ConfigOf } from '../options.js';
import { print, printJson, printError, table } from '../output.js';

interface ApplyFlags {
  readonly dryRun: boolean;
  readonly timeout: number;
  readonly json: boolean;
}

interface BindFlags {
  readonly json: boolean;
}

/** State of a binding on one node. */
interface NodeReport {
  readonly node: string;
  readonly revision: string;
  readonly state: string;
  readonly message: string | null;
}

const POLL_MS = 500;

/** Adds `bind` and its subcommands. */
export function addBindCommands(program: Command, configOf: ConfigOf): void {
  const bind = program
    .command('bind')
    .description('manage bindings: predictions on existing topics (docs/BINDINGS.md)');
  const apply = bind
    .command('apply')
    .argument('<file>', 'the binding in YAML')
    .description('create or update a binding and wait until nodes run it');
  withOptions(apply, CLUSTER)
    .option('--dry-run', 'only validate the file', false)
    .option('--timeout <ms>', 'time to wait for the nodes', integer(1), 30_000)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura bind apply examples/wine/binding.yaml')
    .action((file: string, flags: ApplyFlags) => runApply(configOf({ ...flags }), file, flags));
  const list = bind.command('list').description('list bindings and the nodes that run them');
  withOptions(list, CONNECTION)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura bind list')
    .action((flags: BindFlags) => runBindings(configOf({ ...flags }), flags));
  const remove = bind
    .command('remove')
    .argument('<name>', 'name of the binding')
    .description('remove a binding; its topics and committed offsets are kept');
  withOptions(remove, CLUSTER)
    .addHelpText('after', '\nExample:\n  partitura bind remove wine')
    .action((name: string, flags: object) => runRemove(configOf({ ...flags }), name));
}

/**
 * Applies a binding and waits until its nodes run it.
 * @throws PartituraError if the file is invalid or a node cannot run the binding
 */
async function runApply(config: Config, file: string, flags: ApplyFlags): Promise<void> {
  const binding = parseBinding(await readFile(file, 'utf8').catch(unreadable(file)));
  refuseReservedTopics(binding, topicNames(config.prefix));
  if (flags.dryRun)
    return flags.json ? printJson(binding) : print(`${describe(binding)}: valid; not applied (--dry-run)`);
  const kafka = kafkaFor(config);
  const others = [...(await readBindings(kafka, config)).values()];
  refuseCircle(
    binding,
    others.map(({ definition }) => definition),
  );
  await publish(kafka, config, bindingRecord(topicNames(config.prefix).bindings, binding));
  if (!flags.json) printError(`${describe(binding)}: applied; waiting for the nodes`);
  const reports = await untilSettled(kafka, config, binding, flags.timeout);
  const failed = reports.find(({ state }) => state === 'FAILED');
  if (flags.json) printJson({ binding: binding.name, revision: revisionOf(binding), nodes: reports });
  else if (!failed) print(`${binding.name} is running on ${reports.map(({ node }) => node).join(', ')}`);
  if (failed) throw invalidRequest(`${failed.node}: ${failed.message}; retrying`);
}

const unreadable = (file: string) => (cause: unknown) => {
  throw new PartituraError('INVALID_REQUEST', `bind: expected a readable file, got '${file}'`, { cause });
};

function describe({ name, source, model, version, output }: BindingDefinition): string {
  return `${name}: ${source.topic} → ${model}${version === undefined ? '' : ` version ${version}`} → ${output.topic}`;
}

/** Waits until all live nodes report that they run this revision, or one reports a failure. */
async function untilSettled(
  kafka: KafkaClient,
  config: Config,
  binding: BindingDefinition,
  timeoutMs: number,
): Promise<NodeReport[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const nodes = (await readNodes(kafka, config, Date.now())).filter(({ alive }) => alive);
    const reports = reportsOf(nodes, binding.name).filter(({ revision }) => revision === revisionOf(binding));
    const running = reports.filter(({ state }) => state === 'RUNNING');
    const isSettled = reports.length === nodes.length && reports.every(({ state }) => state !== 'STARTING');
    if (reports.some(({ state }) => state === 'FAILED') || (isSettled && running.length > 0))
      return reports.filter(({ state }) => state !== 'WAITING');
    if (Date.now() > deadline) throw notRunning(binding, nodes, reports, timeoutMs);
    await sleep(POLL_MS);
  }
}

function reportsOf(nodes: readonly KnownNode[], name: string): NodeReport[] {
  return nodes.flatMap(({ node, bindings }) =>
    bindings
      .filter(({ binding }) => binding === name)
      .map(({ revision, state, message }) => ({ node, revision, state, message })),
  );
}

function notRunning(
  { name }: BindingDefinition,
  nodes: readonly KnownNode[],
  reports: readonly NodeReport[],
  timeoutMs: number,
): PartituraError {
  const states = reports.map(
    ({ node, state, message }) => `${node} is ${state}${message ? ` (${message})` : ''}`,
  );
  const found = nodes.length === 0 ? 'no node is alive' : states.join('; ') || 'no node is running it yet';
  return new PartituraError(
    'MODEL_NOT_READY',
    `${name} was applied but is not running after ${timeoutMs} ms: ${found}; nodes keep retrying`,
  );
}

interface ListedBinding extends BindingDefinition {
  readonly revision: string;
  readonly lag: number | null;
  readonly nodes: ReturnType<typeof reportsOf>;
}

/** Prints the bindings and their state on the nodes. */
async function runBindings(config: Config, { json }: BindFlags): Promise<void> {
  const kafka = kafkaFor(config);
  const unreadable: string[][] = [];
  const [bindings, nodes] = await Promise.all([
    readBindings(kafka, config, ({ key }, { message }) =>
      unreadable.push([key?.toString('utf8') ?? '', ...NO_CELLS, `not readable by this version: ${message}`]),
    ),
    readNodes(kafka, config, Date.now()),
  ]);
  const alive = nodes.filter((node) => node.alive);
  const definitions = [...bindings.values()].map(({ definition }) => definition);
  const lags = await readLags(kafka, config, definitions);
  const found = [...bindings.values()].map(({ definition, revision }) => ({
    ...definition,
    revision,
    lag: lags.get(definition.name) ?? null,
    nodes: reportsOf(alive, definition.name).filter((report) => report.revision === revision),
  }));
  if (json) return printJson(found);
  print(table(HEADER, [...found.map(bindingRow), ...unreadable]));
}

const HEADER = ['BINDING', 'SOURCE', 'MODEL', 'OUTPUT', 'NODES', 'LAG', 'MESSAGE'];
/** Cells between the name and the message of an unreadable binding. */
const NO_CELLS = ['', '', '', '', ''];

function bindingRow({ name, source, model, output, lag, nodes }: ListedBinding): string[] {
  return [
    name,
    source.topic,
    model,
    output.topic,
    String(nodes.filter(({ state }) => state === 'RUNNING').length),
    String(lag ?? ''),
    [...new Set(nodes.flatMap(({ message }) => message ?? []))].join('; '),
  ];
}

/** Reads the lag of each binding by name; bindings without a source topic are left out. */
async function readLags(
  kafka: KafkaClient,
  { prefix }: Config,
  definitions: readonly BindingDefinition[],
): Promise<ReadonlyMap<string, number>> {
  const lags = new Map<string, number>();
  await withAdmin(kafka, async (admin) => {
    for (const { name, source } of definitions) {
      if ((await admin.partitionCount(source.topic)) === undefined) continue;
      const offsets = await admin.offsets(source.topic);
      const group = topicNames(prefix).bindingGroup(name);
      lags.set(name, lagOf(groupPositions(offsets, await admin.committed(group, source.topic))));
    }
  });
  return lags;
}

/** Removes a binding; its topics and committed offsets are kept. @throws PartituraError if it does not exist */
async function runRemove(config: Config, name: string): Promise<void> {
  const kafka = kafkaFor(config);
  const unreadable: string[] = [];
  const bindings = await readBindings(kafka, config, ({ key }) =>
    unreadable.push(key?.toString('utf8') ?? ''),
  );
  const names = [...bindings.keys(), ...unreadable];
  if (!names.includes(name)) {
    const known = names.map((binding) => `'${binding}'`).join(', ');
    const expected = known ? `one of ${known}` : 'the name of an applied binding (none is applied)';
    throw invalidRequest(`bind: expected ${expected}, got '${name}'`);
  }
  await publish(kafka, config, removalRecord(topicNames(config.prefix).bindings, name));
  print(`${name} removed`);
}

async function publish(kafka: KafkaClient, config: Config, record: OutgoingRecord): Promise<void> {
  await withAdmin(kafka, (admin) => admin.createTopics(clusterTopics(config)));
  const producer = kafka.producer();
  try {
    await producer.connect();
    await producer.send([record]);
  } finally {
    await producer.close();
  }
}
