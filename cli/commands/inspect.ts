import type { Command } from 'commander';
import type { Config } from '../../core/config/config.js';
import { lagOf, readPositions } from '../../kafka/reading/lag.js';
import type { KafkaAdmin } from '../../kafka/port.js';
import { readNodes, type KnownNode } from '../../cluster/node-directory.js';
import { topicNames } from '../../cluster/topics.js';
import { isInternal } from '../../schemas/model-name.js';
import type { ModelBatching, ModelMeasurement } from '../../schemas/generated.js';
import { kafkaFor, withAdmin } from '../kafka.js';
import { deliveryText, describeModel } from '../models/describe.js';
import { factsOf } from '../models/facts.js';
import { formatTime } from '../time-option.js';
import { CONNECTION, withOptions, type ConfigOf } from '../options.js';
import { print, printJson, printError, table } from '../output.js';

interface InspectFlags {
  readonly json: boolean;
}

/** Adds `models`, `nodes` and `topics`. */
export function addInspectCommands(program: Command, configOf: ConfigOf): void {
  const add = (
    name: string,
    description: string,
    run: (config: Config, flags: InspectFlags) => Promise<void>,
  ): Command =>
    withOptions(program.command(name).description(description), CONNECTION)
      .option('--json', 'print JSON', false)
      .addHelpText('after', `\nExample:\n  partitura ${name} --brokers kafka:9092 --json`)
      .action((flags: InspectFlags) => run(configOf({ ...flags }), flags));
  const models = add('models', 'list model versions and the nodes that serve them', runModels);
  addShowCommand(models, configOf);
  add('nodes', 'list nodes', runNodes);
  add('topics', 'list topics with their lag', runTopics);
}

/** Adds `models show`. */
function addShowCommand(models: Command, configOf: ConfigOf): void {
  // Otherwise options after `show` would be parsed as those of `models`.
  models.enablePositionalOptions();
  const show = models
    .command('show')
    .argument('<model>')
    .description('show signatures, files, runtime, batching and profile of a model, by version and node');
  withOptions(show, CONNECTION)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura models show digits --brokers kafka:9092')
    .action((model: string, flags: InspectFlags) => {
      // Options before `show` are parsed as those of `models` but apply, too.
      const before = models.opts<InspectFlags>();
      const all = { ...before, ...flags, json: before.json || flags.json };
      return runShow(configOf(all), model, all);
    });
}

/** Prints everything that nodes report about a model. @throws PartituraError MODEL_NOT_FOUND */
async function runShow(config: Config, model: string, { json }: InspectFlags): Promise<void> {
  const facts = factsOf(model, await readNodes(kafkaFor(config), config, Date.now(), printIgnored));
  if (json) return printJson(facts);
  print(describeModel(facts));
}

/** Prints all nodes that have reported their status. */
async function runNodes(config: Config, { json }: InspectFlags): Promise<void> {
  const nodes = await readNodes(kafkaFor(config), config, Date.now(), printIgnored);
  if (json) return printJson(nodes);
  print(table(['NODE', 'HOST', 'STATE', 'MODELS', 'PARTITIONS', 'IN FLIGHT', 'µs/ROW'], nodes.map(nodeRow)));
}

function printIgnored(count: number): void {
  printError(`partitura: ${count} node statuses ignored: too large or too many`);
}

function nodeRow(node: KnownNode): string[] {
  const models = node.models
    .filter(({ model, state }) => state === 'AVAILABLE' && !isInternal(model))
    .map(({ model, version }) => `${model}/${version}`);
  const state = node.alive ? node.state : `silent since ${formatTime(node.beatAt)}`;
  return [
    node.node,
    node.host,
    state,
    models.join(' '),
    String(node.partitions.length),
    String(node.inflightRequests),
    node.serviceMicros.toFixed(1),
  ];
}

/** Prints every version of every model and the nodes that serve it. */
async function runModels(config: Config, { json }: InspectFlags): Promise<void> {
  const nodes = (await readNodes(kafkaFor(config), config, Date.now(), printIgnored)).filter(
    ({ alive }) => alive,
  );
  const versions = nodes
    .flatMap(({ node, models }) => models.map((version) => ({ ...version, node })))
    .filter(({ model }) => !isInternal(model));
  versions.sort(
    (a, b) =>
      a.model.localeCompare(b.model) || Number(a.version) - Number(b.version) || a.node.localeCompare(b.node),
  );
  printSkippedFolders(nodes);
  if (json) return printJson(versions);
  const rows = versions.map((one) => [
    one.model,
    one.version,
    one.state,
    one.backend ?? '',
    ...measurementColumns(one.measured),
    one.node,
    one.message ?? '',
    deliveryText(one),
    batchingText(one.batching),
  ]);
  const headings = [
    'MODEL',
    'VERSION',
    'STATE',
    'BACKEND',
    ...MEASUREMENT_HEADINGS,
    'NODE',
    'MESSAGE',
    'DELIVERY',
    'BATCHING',
  ];
  print(table(headings, rows));
}

function batchingText(batching: ModelBatching | null): string {
  if (!batching) return '';
  return `${batching.batchable ? 'yes' : 'no'}: ${batching.reason}`;
}

/** Prints repository folders that nodes do not serve, once each, since nodes mostly share a repository. */
function printSkippedFolders(nodes: readonly KnownNode[]): void {
  const folders = new Map<string, string[]>();
  for (const { node, skippedFolders } of nodes)
    for (const folder of skippedFolders) folders.set(folder, [...(folders.get(folder) ?? []), node]);
  for (const [folder, names] of [...folders].sort(([one], [other]) => one.localeCompare(other)))
    printError(`partitura: skipped by ${names.join(', ')}: ${folder}`);
}

const MEASUREMENT_HEADINGS = ['µs/1', 'BEST BATCH', 'µs/ROW', 'CORES', 'THREADS'];

/** Returns the profile columns; empty if the node did not profile. */
function measurementColumns(measured: ModelMeasurement | null): string[] {
  if (!measured) return MEASUREMENT_HEADINGS.map(() => '');
  const { microsAlone, bestBatchRows, microsPerRow, cores, threads, inline, threadsGain } = measured;
  return [
    String(microsAlone),
    String(bestBatchRows),
    microsPerRow.toFixed(2),
    String(cores ?? ''),
    inline ? 'inline' : threadsGain === null ? String(threads) : `${threads} (${threadsGain.toFixed(1)}×)`,
  ];
}

interface TopicReport {
  readonly topic: string;
  readonly partitions: number;
  readonly records: number;
  /** Records that the nodes of the model have not answered yet; null for other topics. */
  readonly lag: number | null;
}

/** Prints the topics of the cluster with their lag. */
async function runTopics(config: Config, { json }: InspectFlags): Promise<void> {
  const reports = await withAdmin(kafkaFor(config), (admin) => reportTopics(admin, config));
  if (json) return printJson(reports);
  const rows = reports.map(({ topic, partitions, records, lag }) => [
    topic,
    String(partitions),
    String(records),
    lag === null ? '' : String(lag),
  ]);
  print(table(['TOPIC', 'PARTITIONS', 'RECORDS', 'LAG'], rows));
}

async function reportTopics(admin: KafkaAdmin, { prefix }: Config): Promise<TopicReport[]> {
  const names = topicNames(prefix);
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`)).sort();
  return Promise.all(
    topics.map(async (topic) => {
      const offsets = await admin.offsets(topic);
      const model = names.modelOf(topic);
      const lag = model === undefined ? null : lagOf(await readPositions(admin, names.group(model), topic));
      return {
        topic,
        partitions: offsets.length,
        records: offsets.reduce((sum, { start, end }) => sum + end - start, 0),
        lag,
      };
    }),
  );
}
