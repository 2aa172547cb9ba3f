#!/usr/bin/env node
import { Command } from 'commander';
import { isErrorCode } from '../schemas/errors.js';
import { addAclsCommand } from './commands/acls.js';
import { addControlCommands } from './commands/control.js';
import { addBindCommands } from './commands/bind.js';
import type { BrokerFlags } from './commands/broker.js';
import { addDeadLetterCommands } from './commands/dlq/index.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addInspectCommands } from './commands/inspect.js';
import { addJobCommands } from './commands/job/index.js';
import { addPredictCommand } from './commands/predict.js';
import { addSchemasCommands } from './commands/schemas.js';
import { addTraceCommand } from './commands/trace.js';
import type { UpFlags } from './commands/up.js';
import type { DemoFlags } from './demo/demo.js';
import {
  CONNECTION,
  COORDINATOR,
  GATEWAY,
  NODE,
  configFrom,
  integer,
  withOptions,
  type ConfigOf,
} from './options.js';
import { printError } from './output.js';
import { VERSION } from '../core/version.js';

const LOG_QUIETLY = { logLevel: 'error' };
const DEFAULT_BROKER_PORT = 9092;
const DEFAULT_REGISTRY_PORT = 8081;
const PORT = integer(1, 65_535);
const environment = process.env;
/** True unless brokers are named: then `up` and `demo` start an embedded broker. */
const ownBroker = (flags: { brokers?: string }): boolean =>
  flags.brokers === undefined && !environment['KAFKA_BROKERS'];

/** Configuration for commands that print only their result. */
const quietly: ConfigOf = (flags) => configFrom(flags, environment, LOG_QUIETLY);

const program = new Command('partitura')
  .version(VERSION)
  .description(
    'A message-driven inference cluster: nodes consume prediction requests from Kafka, run TensorFlow and ONNX models, and publish replies.',
  )
  .showHelpAfterError('(see --help)');

// The processes of a cluster import their own part only: each start would otherwise load the others' libraries, too.
function clusterCommand(name: string, description: string): Command {
  const command = program
    .command(name)
    .description(description)
    .option('--nodes <count>', 'inference nodes to start', integer(1), 2)
    .option('--broker-port <port>', 'port of the embedded broker on 127.0.0.1', PORT, DEFAULT_BROKER_PORT)
    .option('--data <folder>', 'data folder of the embedded broker (default: a temporary folder)')
    .option('--no-gateway', 'run no gateway')
    .option('--json', 'print JSON', false);
  return withOptions(command, [...new Set([...CONNECTION, ...NODE, ...GATEWAY, ...COORDINATOR])]);
}

clusterCommand(
  'up',
  'run a cluster in the foreground: nodes and, unless --brokers or KAFKA_BROKERS is set, a Kafka broker',
)
  .option('--no-coordinator', 'run no coordinator of split jobs')
  .option('--registry', 'also run a schema registry', false)
  .option('--registry-port <port>', 'port of the schema registry on 127.0.0.1', PORT, DEFAULT_REGISTRY_PORT)
  .addHelpText(
    'after',
    '\nExamples:\n  partitura up --nodes 4 --models ./models\n  KAFKA_BROKERS=kafka:9092 partitura up --nodes 2',
  )
  .action(async (flags: UpFlags & { brokers?: string }) => {
    const { runUp } = await import('./commands/up.js');
    return runUp(quietly({ ...flags }), flags, ownBroker(flags));
  });

clusterCommand(
  'demo',
  'start a cluster, classify 1,797 handwritten digits and print a report (run by `npm start`)',
)
  .option('--exit', 'exit after the report', false)
  .option('--inflight <count>', 'maximum requests in flight', integer(1), 256)
  .addHelpText('after', '\nExamples:\n  partitura demo --exit\n  partitura demo --nodes 1 --inflight 1000')
  .action(async (flags: DemoFlags & { brokers?: string }) => {
    const { runDemo } = await import('./demo/demo.js');
    return runDemo(quietly({ ...flags }), flags, ownBroker(flags));
  });

program
  .command('broker')
  .description('run a Kafka broker in the foreground')
  .option('--broker-port <port>', 'port on 127.0.0.1', PORT, DEFAULT_BROKER_PORT)
  .option('--data <folder>', 'data folder (default: a temporary folder)')
  .option('--json', 'print JSON', false)
  .addHelpText('after', '\nExample:\n  partitura broker --data ./kafka-data')
  .action(async (flags: BrokerFlags) => (await import('./commands/broker.js')).runBroker(flags));

withOptions(program.command('node').description('run one inference node in the foreground'), [
  ...CONNECTION,
  ...NODE,
])
  .option('--json', 'print JSON', false)
  .addHelpText(
    'after',
    '\nExample:\n  partitura node --brokers kafka:9092 --models /srv/models --http-port 9100',
  )
  .action(async (flags: { json: boolean }) => {
    const { runNode } = await import('./commands/node.js');
    return runNode(configFrom({ ...flags }, environment), flags, environment);
  });

withOptions(program.command('gateway').description('run one gateway (REST and gRPC) in the foreground'), [
  ...CONNECTION,
  ...GATEWAY,
])
  .option('--json', 'print JSON', false)
  .addHelpText(
    'after',
    '\nExample:\n  partitura gateway --brokers kafka:9092 --gateway-host 0.0.0.0 --gateway-port 8080',
  )
  .action(async (flags: { json: boolean }) => {
    const { runGateway } = await import('./commands/gateway.js');
    return runGateway(configFrom({ ...flags }, environment), flags, environment);
  });

withOptions(
  program.command('coordinator').description('run one coordinator of split jobs in the foreground'),
  [...CONNECTION, ...COORDINATOR],
)
  .option('--json', 'print JSON', false)
  .addHelpText('after', '\nExample:\n  partitura coordinator --brokers kafka:9092 --job-files /srv/jobs')
  .action(async (flags: { json: boolean }) => {
    const { runCoordinator } = await import('./commands/coordinator.js');
    return runCoordinator(configFrom({ ...flags }, environment), flags);
  });

/** Adds each other command; all get what only some of them need. */
const ADD_COMMANDS = [
  addPredictCommand,
  addInspectCommands,
  addBindCommands,
  addSchemasCommands,
  addTraceCommand,
  addDeadLetterCommands,
  addDoctorCommand,
  addAclsCommand,
  addControlCommands,
  addJobCommands,
];
for (const addCommand of ADD_COMMANDS) addCommand(program, quietly, environment);

try {
  await program.parseAsync();
  process.exitCode = 0;
} catch (error) {
  const { code, message } = error as { code?: unknown; message: string };
  printError(`partitura: ${typeof code === 'string' && isErrorCode(code) ? `${code}: ` : ''}${message}`);
  // A failed command may leave threads or connections that keep the process alive.
  process.exit(1);
}
