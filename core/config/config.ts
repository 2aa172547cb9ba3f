import type { z } from 'zod';
import { invalidRequest } from '../../schemas/errors.js';
import { ENGINE } from './engine.js';
import { GATEWAY } from './gateway.js';
import { COORDINATOR } from './jobs.js';
import { KAFKA } from './kafka.js';
import { NODE } from './node.js';
import type { Option } from './option.js';
import { HTTP, LOG } from './process.js';
import { REGISTRY } from './registry.js';
import { TOPICS } from './topics.js';

/**
 * Every option of every process: name, environment variable, default, check and meaning, in groups of one file each.
 * Command-line flags and docs/CONFIGURATION.md are generated from them.
 */
export const OPTIONS = {
  ...KAFKA,
  ...REGISTRY,
  ...TOPICS,
  ...ENGINE,
  ...NODE,
  ...GATEWAY,
  ...COORDINATOR,
  ...HTTP,
  ...LOG,
} satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;
export type Config = { readonly [Name in OptionName]: z.output<(typeof OPTIONS)[Name]['check']> };

/** Unchecked values from flags and the environment. */
export type ConfigInput = Partial<Record<OptionName, unknown>>;

/**
 * Checks values against the option table and fills in defaults.
 * @throws PartituraError INVALID_REQUEST that lists every wrong option
 */
export function checkConfig(input: ConfigInput): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, { check, fallback, env, secret }] of Object.entries<Option>(OPTIONS)) {
    const value = input[name as OptionName] ?? fallback;
    const checked = check.safeParse(value);
    if (checked.success) config[name] = checked.data;
    else
      problems.push(
        `${env}: ${checked.error.issues.map((issue) => issue.message).join('; ')} (got ${secret ? 'a secret' : JSON.stringify(value)})`,
      );
  }
  if (problems.length > 0) throw invalidRequest(`configuration: ${problems.join(', ')}`);
  return refuseContradictions(config as Config);
}

/** Checks for contradictory options; each returns a sentence if the combination is invalid. */
const CONTRADICTIONS: readonly ((config: Config) => string | false)[] = [
  ({ drainTimeoutMs, sessionTimeoutMs }) =>
    drainTimeoutMs >= sessionTimeoutMs &&
    `PARTITURA_DRAIN_TIMEOUT_MS (${drainTimeoutMs}) must be below PARTITURA_SESSION_TIMEOUT_MS (${sessionTimeoutMs})`,
  ({ saslMechanism, saslUsername, saslPassword }) =>
    saslMechanism !== undefined &&
    (saslUsername === undefined || saslPassword === undefined) &&
    'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
  ({ kafkaGroupProtocol, kafkaClient }) =>
    kafkaGroupProtocol === 'consumer' &&
    kafkaClient === 'kafkajs' &&
    'KAFKA_GROUP_PROTOCOL=consumer needs KAFKA_CLIENT=native',
  ({ gatewayTlsCert, gatewayTlsKey }) =>
    (gatewayTlsCert === undefined) !== (gatewayTlsKey === undefined) &&
    'PARTITURA_GATEWAY_TLS_CERT and PARTITURA_GATEWAY_TLS_KEY need each other',
  ({ schemaRegistryAutoRegister, schemaRegistryUrl }) =>
    schemaRegistryAutoRegister &&
    schemaRegistryUrl === undefined &&
    'SCHEMA_REGISTRY_AUTO_REGISTER needs SCHEMA_REGISTRY_URL',
];

function refuseContradictions(config: Config): Config {
  for (const contradiction of CONTRADICTIONS) {
    const problem = contradiction(config);
    if (problem) throw invalidRequest(`configuration: ${problem}`);
  }
  return config;
}

/** Reads the options that an environment sets. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): ConfigInput {
  const input: ConfigInput = {};
  for (const [name, { env }] of Object.entries<Option>(OPTIONS)) {
    const value = environment[env];
    if (value !== undefined && value !== '') input[name as OptionName] = value;
  }
  return input;
}

/** Converts a configuration to environment variables, the inverse of `fromEnvironment`, for a child process. */
export function toEnvironment(config: Partial<Config>): Record<string, string> {
  const entries = Object.entries(config).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [OPTIONS[name as OptionName].env, String(value)]));
}
