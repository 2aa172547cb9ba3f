import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  OPTIONS,
  checkConfig,
  fromEnvironment,
  type Config,
  type ConfigInput,
  type OptionName,
} from '../core/config/config.js';

/** What every command needs to reach a cluster. */
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

/** What commands need that may have to create the cluster's own topics. */
export const CLUSTER: readonly OptionName[] = [
  ...CONNECTION,
  'partitions',
  'replicationFactor',
  'maxRecordBytes',
];

/** What a node can be told. */
export const NODE: readonly OptionName[] = (Object.keys(OPTIONS) as OptionName[]).filter(
  (name) => !CONNECTION.includes(name),
);

/** A parser of whole numbers within these bounds. */
export function integer(least: number, most = Infinity): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `Expected a whole number from ${least}${most === Infinity ? '' : ` to ${most}`}.`,
    );
  };
}

/** Adds a flag for each option of the table; the environment variable stands beside it in the help. */
export function withOptions(command: Command, names: readonly OptionName[]): Command {
  for (const name of names) {
    const { doc, env, ...rest } = OPTIONS[name];
    const fallback = 'fallback' in rest && rest.fallback !== '' ? `, default ${String(rest.fallback)}` : '';
    command.addOption(
      new Option(`--${kebab(name)} <value>`, `${doc} (${env}${fallback})`).argParser(checkedAs(name)),
    );
  }
  return command;
}

/** Refuses a wrong value in the name of its flag; the configuration's own check would name the environment variable. */
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

/** The configuration that a command's flags make, with environment and defaults. */
export type ConfigOf = (flags: Readonly<Record<string, unknown>>) => Config;

/** Flags come first, then the environment, then defaults. @throws PartituraError INVALID_REQUEST */
export function configFrom(
  flags: Readonly<Record<string, unknown>>,
  environment: NodeJS.ProcessEnv,
  defaults: ConfigInput = {},
): Config {
  const known = Object.fromEntries(Object.entries(flags).filter(([name]) => name in OPTIONS));
  return checkConfig({ ...defaults, ...fromEnvironment(environment), ...known });
}
