import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { LiveDirectives } from '../../cluster/control/live-directives.js';
import { LiveNodes } from '../../cluster/live-nodes.js';
import { topicNames } from '../../cluster/topics.js';
import type { Config } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { ClusterControl, type CommandOptions } from '../../operations/control/cluster-control.js';
import type { DirectiveOutcome } from '../../operations/control/outcome.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { kafkaFor } from '../kafka.js';
import { CONNECTION, integer, withOptions, type ConfigOf } from '../options.js';
import { print, printJson, table } from '../output.js';

interface ControlFlags {
  readonly timeout: number;
  readonly json: boolean;
}

/** Gives a directive; called with a control that is connected. */
type Give = (control: ClusterControl, options: CommandOptions) => Promise<DirectiveOutcome>;

/** Adds `model load|unload|policy|label` and `node drain|undrain`. */
export function addControlCommands(program: Command, configOf: ConfigOf): void {
  const give = (flags: ControlFlags, action: Give): Promise<void> =>
    runDirective(configOf({ ...flags }), flags, action);
  const model = program.command('model').description('load, unload and label models on all nodes');
  const node =
    program.commands.find((command) => command.name() === 'node') ??
    program.command('node').description('nodes');
  // Options after `drain` belong to it, although `node` itself has options of the same names.
  program.enablePositionalOptions();
  node.enablePositionalOptions();
  add(model, 'load <model>', 'load a model on all nodes, or retry where it failed').action(
    (name: string, flags: ControlFlags) => give(flags, (control, options) => control.load(name, options)),
  );
  add(model, 'unload <model>', 'unload a model on all nodes').action((name: string, flags: ControlFlags) =>
    give(flags, (control, options) => control.unload(name, options)),
  );
  add(
    model,
    'policy <model> <policy>',
    "set a model's version policy, such as latest:2; `default` resets it",
  ).action((name: string, policy: string, flags: ControlFlags) =>
    give(flags, (control, options) =>
      control.configure(name, { versionPolicy: policy === 'default' ? null : policy }, options),
    ),
  );
  add(model, 'label <model> [label=version...]', 'replace the labels of a model').action(
    (name: string, pairs: string[], flags: ControlFlags) =>
      give(flags, (control, options) => control.configure(name, { labels: parseLabels(pairs) }, options)),
  );
  for (const [action, drained, description] of [
    ['drain', true, 'unload all models of a node and give its partitions to others'],
    ['undrain', false, 'let a drained node serve again'],
  ] as const)
    add(node, `${action} <node>`, description).action((name: string, flags: ControlFlags) =>
      give(flags, (control, options) => control.drain(name, drained, options)),
    );
}

function add(parent: Command, usage: string, description: string): Command {
  return withOptions(parent.command(usage).description(description), CONNECTION)
    .option('--timeout <ms>', 'time to wait for the nodes', integer(0), 60_000)
    .option('--json', 'print JSON', false);
}

function parseLabels(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, label, version] = /^([^=]+)=(\d{1,15})$/.exec(pair) ?? [];
      if (label !== undefined && version !== undefined) return [label, version];
      throw invalidRequest(`label: expected label=version, got '${pair}'`);
    }),
  );
}

/** Gives a directive and prints what each node made of it. @throws PartituraError if a node did not comply */
async function runDirective(config: Config, { timeout, json }: ControlFlags, give: Give): Promise<void> {
  const kafka = kafkaFor(config);
  const log = createLogger('partitura', config.logLevel);
  const nodes = new LiveNodes(kafka, config, log);
  const directives = new LiveDirectives(kafka, config, log);
  const producer = kafka.producer();
  try {
    await Promise.all([nodes.start(), directives.start(), producer.connect()]);
    const control = new ClusterControl({
      producer,
      directives,
      nodes,
      topic: topicNames(config.prefix).control,
    });
    const outcome = await give(control, { requestedBy: userInfo().username, limitMs: timeout });
    if (json) printJson(outcome);
    else printOutcome(outcome);
    requireCompliance(outcome, timeout);
  } finally {
    await Promise.all([nodes.close(), directives.close(), producer.close()]);
  }
}

function printOutcome({ nodes }: DirectiveOutcome): void {
  print(
    table(
      ['node', 'result'],
      nodes.map(({ node, ok, reason }) => [node, ok ? 'done' : reason]),
    ),
  );
}

function requireCompliance({ settled, nodes }: DirectiveOutcome, timeoutMs: number): void {
  if (!settled)
    throw new PartituraError(
      'INTERNAL',
      `some nodes have not answered within ${timeoutMs} ms; they follow later`,
    );
  const refused = nodes.filter(({ ok }) => !ok).map(({ node }) => node);
  if (refused.length > 0) throw new PartituraError('INTERNAL', `not done on ${refused.join(', ')}`);
}
