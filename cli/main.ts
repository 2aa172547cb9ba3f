#!/usr/bin/env node
import { Command } from 'commander';
import type { Config } from '../core/config.js';
import { isErrorCode } from '../schemas/errors.js';
import { runApply, runBindings, runRemove, type ApplyFlags, type BindFlags } from './commands/bind.js';
import { runBroker, type BrokerFlags } from './commands/broker.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addDeadLetterCommands } from './commands/dlq/index.js';
import { runModels, runNodes, runTopics, type InspectFlags } from './commands/inspect.js';
import { runNode } from './commands/node.js';
import { runPredict, type PredictFlags } from './commands/predict.js';
import { addTraceCommand } from './commands/trace.js';
import { runRegister, type SchemasFlags } from './commands/schemas.js';
import { runUp, type UpFlags } from './commands/up.js';
import { runDemo, type DemoFlags } from './demo/demo.js';
import { CLUSTER, CONNECTION, NODE, configFrom, whole, withOptions } from './options.js';
import { say } from './output.js';

const VERSION = '0.1.0';
const LOG_QUIETLY = { logLevel: 'error' };
const DEFAULT_BROKER_PORT = 9092;
const DEFAULT_REGISTRY_PORT = 8081;
const PORT = whole(1, 65_535);
const environment = process.env;
/** A cluster is at hand when its brokers are named; otherwise `up` and `demo` bring their own. */
const ownBroker = (flags: { brokers?: string }): boolean =>
  flags.brokers === undefined && !environment['KAFKA_BROKERS'];

const program = new Command('partitura')
  .version(VERSION)
  .description(
    'A message-driven inference cluster: prediction requests through Kafka to nodes that run TensorFlow and ONNX models, and back.',
  )
  .showHelpAfterError('(--help shows what is possible)');

function clusterCommand(name: string, description: string): Command {
  const command = program
    .command(name)
    .description(description)
    .option('--nodes <count>', 'inference nodes to start', whole(1), 2)
    .option('--broker-port <port>', 'port of the embedded broker on 127.0.0.1', PORT, DEFAULT_BROKER_PORT)
    .option('--data <folder>', 'where the embedded broker keeps its topics; a temporary folder when left out')
    .option('--json', 'answer in JSON', false);
  return withOptions(command, [...CONNECTION, ...NODE]);
}

clusterCommand(
  'up',
  'run a whole cluster in the foreground: a Kafka broker (unless --brokers or KAFKA_BROKERS name one) and nodes',
)
  .option('--registry', 'run a schema registry, too', false)
  .option('--registry-port <port>', 'port of the schema registry on 127.0.0.1', PORT, DEFAULT_REGISTRY_PORT)
  .addHelpText(
    'after',
    '\nExamples:\n  partitura up --nodes 4 --models ./models\n  KAFKA_BROKERS=kafka:9092 partitura up --nodes 2',
  )
  .action((flags: UpFlags & { brokers?: string }) =>
    runUp(configFrom({ ...flags }, environment, LOG_QUIETLY), flags, ownBroker(flags)),
  );

clusterCommand('demo', 'what `npm start` runs: a cluster, 1,797 handwritten digits through it, a report')
  .option('--exit', 'end after the report', false)
  .option('--inflight <count>', 'requests under way at once', whole(1), 256)
  .addHelpText('after', '\nExamples:\n  partitura demo --exit\n  partitura demo --nodes 1 --inflight 1000')
  .action((flags: DemoFlags & { brokers?: string }) =>
    runDemo(configFrom({ ...flags }, environment, LOG_QUIETLY), flags, ownBroker(flags)),
  );

program
  .command('broker')
  .description('run a Kafka broker in the foreground')
  .option('--broker-port <port>', 'port on 127.0.0.1', PORT, DEFAULT_BROKER_PORT)
  .option('--data <folder>', 'where topics are kept; a temporary folder when left out')
  .option('--json', 'answer in JSON', false)
  .addHelpText('after', '\nExample:\n  partitura broker --data ./kafka-data')
  .action((flags: BrokerFlags) => runBroker(flags));

withOptions(program.command('node').description('run one inference node in the foreground'), [
  ...CONNECTION,
  ...NODE,
])
  .option('--json', 'answer in JSON', false)
  .addHelpText(
    'after',
    '\nExample:\n  partitura node --brokers kafka:9092 --models /srv/models --http-port 9100',
  )
  .action((flags: { json: boolean }) => runNode(configFrom({ ...flags }, environment), flags, environment));

withOptions(
  program.command('predict').argument('<model>').description('send one request and print its reply'),
  CONNECTION,
)
  .option('--file <file>', 'Open Inference Protocol body (JSON) with the inputs')
  .option(
    '--input <name=list>',
    'an input as nested JSON lists; may be given several times',
    (text: string, all: string[]) => [...all, text],
    [],
  )
  .option('--key <key>', 'key of the record')
  .option('--model-version <version>', 'version of the model')
  .option('--timeout <ms>', 'how long to wait for the reply', whole(1), 30_000)
  .option('--json', 'answer in JSON', false)
  .addHelpText(
    'after',
    "\nExamples:\n  partitura predict digits --file examples/digits/request.json\n  partitura predict sum --input 'values=[[1,2,3]]' --json",
  )
  .action((model: string, flags: PredictFlags) =>
    runPredict(configFrom({ ...flags }, environment, LOG_QUIETLY), model, flags, environment),
  );

function inspectCommand(
  name: string,
  description: string,
  run: (config: ReturnType<typeof configFrom>, flags: InspectFlags) => Promise<void>,
): void {
  withOptions(program.command(name).description(description), CONNECTION)
    .option('--json', 'answer in JSON', false)
    .addHelpText('after', `\nExample:\n  partitura ${name} --brokers kafka:9092 --json`)
    .action((flags: InspectFlags) => run(configFrom({ ...flags }, environment, LOG_QUIETLY), flags));
}

inspectCommand('models', 'list the versions of models and the nodes that serve them', runModels);
inspectCommand('nodes', 'list the nodes of the cluster', runNodes);
inspectCommand('topics', 'list the topics of the cluster and how far behind its nodes are', runTopics);

const bind = program
  .command('bind')
  .description('bindings: predictions on topics that are there already (docs/BINDINGS.md)');

withOptions(
  bind
    .command('apply')
    .argument('<file>', 'the binding, in YAML')
    .description('give a binding to the cluster, or its new content, and wait until nodes run it'),
  CLUSTER,
)
  .option('--dry-run', 'only check the file', false)
  .option('--timeout <ms>', 'how long to wait for the nodes', whole(1), 30_000)
  .option('--json', 'answer in JSON', false)
  .addHelpText('after', '\nExample:\n  partitura bind apply examples/wine/binding.yaml')
  .action((file: string, flags: ApplyFlags) =>
    runApply(configFrom({ ...flags }, environment, LOG_QUIETLY), file, flags),
  );

withOptions(bind.command('list').description('list the bindings and the nodes that run them'), CONNECTION)
  .option('--json', 'answer in JSON', false)
  .addHelpText('after', '\nExample:\n  partitura bind list')
  .action((flags: BindFlags) => runBindings(configFrom({ ...flags }, environment, LOG_QUIETLY), flags));

withOptions(
  bind
    .command('remove')
    .argument('<name>', 'the name in its file')
    .description('take a binding from the cluster; its topics and positions stay'),
  CLUSTER,
)
  .addHelpText('after', '\nExample:\n  partitura bind remove wine')
  .action((name: string, flags: object) =>
    runRemove(configFrom({ ...flags }, environment, LOG_QUIETLY), name),
  );

withOptions(
  program
    .command('schemas')
    .description("the schemas of requests and replies in a schema registry, for Confluent's wire formats")
    .command('register')
    .argument('[models...]', 'all in the model repository when none is named')
    .description('register the schemas of models, compatible with all versions before and after'),
  ['schemaRegistryUrl', 'schemaRegistryUserInfo', 'prefix', 'models'],
)
  .option('--json', 'answer in JSON', false)
  .addHelpText(
    'after',
    '\nExample:\n  SCHEMA_REGISTRY_URL=http://registry:8081 partitura schemas register digits',
  )
  .action((models: string[], flags: SchemasFlags & { models?: string }) =>
    runRegister(configFrom({ ...flags }, environment, LOG_QUIETLY), models, flags),
  );

const quietly = (flags: Readonly<Record<string, unknown>>): Config =>
  configFrom(flags, environment, LOG_QUIETLY);
addDeadLetterCommands(program, quietly);
addTraceCommand(program, quietly);
addDoctorCommand(program, quietly);

try {
  await program.parseAsync();
  process.exitCode = 0;
} catch (error) {
  const { code, message } = error as { code?: unknown; message: string };
  say(`partitura: ${typeof code === 'string' && isErrorCode(code) ? `${code}: ` : ''}${message}`);
  // What failed may have left threads or connections that would keep the process from ending.
  process.exit(1);
}
