import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  OPTIONS,
  checkConfig,
  fromEnvironment,
  type Config,
  type ConfigInput,
  type OptionName,
} from '../core/config/config.js';
import { GATEWAY as GATEWAY_OPTIONS } from '../core/config/gateway.js';
import { COORDINATOR as COORDINATOR_OPTIONS } from '../core/config/jobs.js';
import { groupOf } from '../core/config/processes.js';

/** Options of every command that connects to a cluster. */
export const CONNECTION: readonly OptionName[] = [
  'brokers',
  'saslMechanism',
  'saslUsername',
  'saslPassword',
  'ssl',
  'sslCa',
  'sslCert',
  'sslKey',
  'sslKeyPassphrase',
  'prefix',
  'logLevel',
];

/** Options of commands that may create the topics of the cluster. */
export const CLUSTER: readonly OptionName[] = [
  ...CONNECTION,
  'partitions',
  'replicationFactor',
  'maxRecordBytes',
];

/** Options of a node, beyond the connection. */
export const NODE: readonly OptionName[] = (Object.keys(OPTIONS) as OptionName[]).filter(
  (name) => !CONNECTION.includes(name) && !(name in GATEWAY_OPTIONS) && !(name in COORDINATOR_OPTIONS),
);

/** Options of a gateway, beyond the connection. */
export const GATEWAY: readonly OptionName[] = [
  'partitions',
  'replicationFactor',
  'maxRecordBytes',
  ...(Object.keys(GATEWAY_OPTIONS) as OptionName[]),
];

/** Options of a coordinator, beyond the connection. */
export const COORDINATOR: readonly OptionName[] = [
  'partitions',
  'replicationFactor',
  'maxRecordBytes',
  'replyTopics',
  'httpHost',
  'httpPort',
  ...(Object.keys(COORDINATOR_OPTIONS) as OptionName[]),
];

/** Returns a parser of integers within these bounds. */
export function integer(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `Expected an integer from ${least}${most === Infinity ? '' : ` to ${most}`}.`,
    );
  };
}

/** Adds a flag for each option; its help names the environment variable. */
export function withOptions(command: Command, names: readonly OptionName[]): Command {
  for (const name of names) {
    const { doc, env, ...rest } = OPTIONS[name];
    const fallback = 'fallback' in rest && rest.fallback !== '' ? `, default ${String(rest.fallback)}` : '';
    command.addOption(
      new Option(`--${kebab(name)} <value>`, `${doc} (${env}${fallback})`)
        .argParser(checkedAs(name))
        .helpGroup(`${groupOf(name)?.title ?? 'Other'} options:`),
    );
  }
  return command;
}

/** Validates a value under the name of its flag; the check of the configuration would name the environment variable. */
function checkedAs(name: OptionName): (text: string) => string {
  const { check, doc } = OPTIONS[name];
  return (text) => {
    const { error } = check.safeParse(text);
    if (!error) return text;
    const [expected] = /expected [^,]+/.exec(error.issues[0]?.message ?? '') ?? [`expected: ${doc}`];
    throw new InvalidArgumentError(`E${expected.slice(1)}.`);
  };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Builds the configuration of a command from its flags, the environment and defaults. */
export type ConfigOf = (flags: Readonly<Record<string, unknown>>) => Config;

/** Merges flags, environment and defaults, in this order of precedence. @throws PartituraError INVALID_REQUEST */
export function configFrom(
  flags: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
  defaults: ConfigInput = {},
): Config {
  const known = Object.fromEntries(Object.entries(flags).filter(([name]) => name in OPTIONS));
  return checkConfig({ ...defaults, ...fromEnvironment(environment), ...known });
}
