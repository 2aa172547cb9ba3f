import { z } from 'zod';
import { PartituraError } from '../schemas/errors.js';
import { urlsIn } from '../schemas/registry/client.js';
import { DEAD_LETTER_STYLES } from '../schemas/headers/headers.js';
import { formatAddress, mustParseAddress, parseAddress } from './address.js';

/**
 * Every option of every process, in one table: name, environment variable, default, check and what it means.
 * The command line's flags and the table in docs/CONFIGURATION.md are made from it.
 */
const text = z.string().min(1);
const number = z.coerce.number({ error: 'expected a number' });
const port = number.int().min(0).max(65_535);
const count = number.int().min(1);
const amount = number.int().min(0);
const list = z
  .union([z.array(text), z.string()])
  .transform((value) => (Array.isArray(value) ? value : value.split(',').map((part) => part.trim())))
  .transform((parts) => parts.filter((part) => part !== ''));
const addresses = list.transform((parts, context) => {
  const wrong = parts.find((part) => parseAddress(part) === undefined);
  if (wrong === undefined && parts.length > 0)
    return parts.map((part) => formatAddress(mustParseAddress(part)));
  const which = wrong === undefined ? 'none are given' : `'${wrong}' is none`;
  context.addIssue(`expected host:port addresses, IPv6 hosts in brackets; ${which}`);
  return z.NEVER;
});
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')]);
const optionalText = z.string().optional();
const url = z.url({ protocol: /^https?$/ });
const optionalUrls = z
  .string()
  .refine((text) => urlsIn(text).length > 0 && urlsIn(text).every((part) => url.safeParse(part).success), {
    error: 'expected http:// or https:// addresses separated by commas',
  })
  .optional();

interface Option<S extends z.ZodType = z.ZodType> {
  readonly env: string;
  readonly check: S;
  readonly fallback?: string | number | boolean;
  readonly doc: string;
  readonly secret?: boolean;
}

const option = <S extends z.ZodType>(
  env: string,
  check: S,
  fallback: Option['fallback'],
  doc: string,
): Option<S> => (fallback === undefined ? { env, check, doc } : { env, check, fallback, doc });
const secret = <S extends z.ZodType>(env: string, check: S, doc: string): Option<S> => ({
  env,
  check,
  doc,
  secret: true,
});

/** Implementations of the Kafka port. */
export const KAFKA_CLIENTS = ['kafkajs', 'platformatic'] as const;
export type KafkaClientName = (typeof KAFKA_CLIENTS)[number];

export const OPTIONS = {
  brokers: option('KAFKA_BROKERS', addresses, '127.0.0.1:9092', 'Bootstrap addresses, comma-separated'),
  saslMechanism: option(
    'KAFKA_SASL_MECHANISM',
    z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    undefined,
    'plain, scram-sha-256 or scram-sha-512; none when unset',
  ),
  saslUsername: option('KAFKA_SASL_USERNAME', optionalText, undefined, 'User for SASL'),
  saslPassword: secret('KAFKA_SASL_PASSWORD', optionalText, 'Password for SASL'),
  ssl: option('KAFKA_SSL', flag, false, 'Whether to talk TLS to the brokers'),
  sslCa: option(
    'KAFKA_SSL_CA',
    optionalText,
    undefined,
    "File with the authority's certificates (PEM); the system's when unset",
  ),
  sslCert: option('KAFKA_SSL_CERT', optionalText, undefined, "File with the client's certificate (PEM)"),
  sslKey: option('KAFKA_SSL_KEY', optionalText, undefined, "File with the client's key (PEM)"),
  sslKeyPassphrase: secret('KAFKA_SSL_KEY_PASSPHRASE', optionalText, "Passphrase of the client's key"),
  kafkaClient: option(
    'KAFKA_CLIENT',
    z.enum(KAFKA_CLIENTS),
    'platformatic',
    'Library that talks to Kafka: platformatic (@platformatic/kafka), which needs Kafka 3.2 or later, or kafkajs',
  ),
  kafkaInstanceId: option(
    'KAFKA_INSTANCE_ID',
    optionalText,
    undefined,
    'Name by which the group expects a node back after a restart (static membership), its own for each node; platformatic only',
  ),
  kafkaGroupProtocol: option(
    'KAFKA_GROUP_PROTOCOL',
    z.enum(['classic', 'consumer']),
    'classic',
    'classic, or consumer (KIP-848), in which the broker assigns partitions: Kafka 4.0 or later, platformatic only',
  ),
  schemaRegistryUrl: secret(
    'SCHEMA_REGISTRY_URL',
    optionalUrls,
    "Where the API of a Confluent-compatible schema registry begins, for requests in Confluent's wire formats; may hold user:password@; of several, comma-separated, the next is asked when one cannot be reached",
  ),
  schemaRegistryUserInfo: secret(
    'SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO',
    optionalText,
    'user:password for the schema registry, instead of in its address',
  ),
  schemaRegistryAutoRegister: option(
    'SCHEMA_REGISTRY_AUTO_REGISTER',
    flag,
    false,
    'Whether nodes register the schemas of the models that they serve; else `partitura schemas register` does',
  ),
  prefix: option(
    'PARTITURA_PREFIX',
    text.regex(/^[A-Za-z0-9_-]+$/),
    'partitura',
    'First part of the names of topics and groups',
  ),
  partitions: option(
    'PARTITURA_PARTITIONS',
    count,
    8,
    'Partitions of topics that Partitura creates; the most nodes that share one model',
  ),
  replicationFactor: option(
    'PARTITURA_REPLICATION_FACTOR',
    number.int().min(-1),
    -1,
    "Copies of topics that Partitura creates; -1: the broker's default",
  ),
  maxRecordBytes: option(
    'PARTITURA_MAX_RECORD_BYTES',
    count,
    1_000_000,
    'Largest request or reply in bytes, as record value',
  ),
  models: option(
    'PARTITURA_MODELS',
    text,
    'examples/models',
    'Model repository: a folder <model>/<version>/ for each version',
  ),
  versionPolicy: option(
    'PARTITURA_VERSION_POLICY',
    text.regex(/^(latest(:[1-9][0-9]*)?|all|specific:[0-9]+(,[0-9]+)*)$/),
    'latest',
    'Which versions are served: latest, latest:N, all or specific:1,3',
  ),
  repositoryPollMs: option(
    'PARTITURA_REPOSITORY_POLL_MS',
    count,
    2_000,
    'How often the model repository is looked at for changes, milliseconds',
  ),
  engine: option(
    'PARTITURA_ENGINE',
    z.enum(['auto', 'tensorflow', 'wasm']),
    'auto',
    'auto: TensorFlow where its addon loads, else WebAssembly',
  ),
  engineThreads: option(
    'PARTITURA_ENGINE_THREADS',
    amount,
    0,
    'Threads that run models, each with its own copy of those that gain by it; 0: as many as there are cores, at most 4',
  ),
  intraOpThreads: option(
    'PARTITURA_INTRA_OP_THREADS',
    amount,
    0,
    'Cores that one operation of a model may use; 0: the share of a thread, or for ONNX models what proves faster',
  ),
  inlineMicros: option(
    'PARTITURA_INLINE_MICROS',
    amount,
    1_000,
    'A model whose best batch takes no longer, microseconds, runs in the event loop instead of a thread; 0: none does',
  ),
  maxBatchRows: option(
    'PARTITURA_MAX_BATCH_ROWS',
    count,
    1_024,
    'Most rows of one batch; models whose batches gain nothing by it have smaller ones. A larger request is cut and joined again',
  ),
  maxBatchDelayMs: option(
    'PARTITURA_MAX_BATCH_DELAY_MS',
    amount,
    0,
    'How long an idle engine waits for a batch to fill, milliseconds; 0: it never waits',
  ),
  batchCheckMs: option(
    'PARTITURA_BATCH_CHECK_MS',
    amount,
    5_000,
    'How often a batch of each version is computed again row by row while the engine is idle, milliseconds; a difference turns batching off for the version; 0: never',
  ),
  cacheDir: option(
    'PARTITURA_CACHE_DIR',
    optionalText,
    undefined,
    'Folder for what was proven of models, so that the next start need not prove it again; ~/.cache/partitura when unset',
  ),
  maxInflightRequests: option(
    'PARTITURA_MAX_INFLIGHT_REQUESTS',
    count,
    4_000,
    'Requests in a node at which it stops fetching',
  ),
  maxInflightBytes: option(
    'PARTITURA_MAX_INFLIGHT_BYTES',
    count,
    128 * 1024 * 1024,
    'Bytes of requests in a node at which it takes no more; batches from which more than a quarter would come are unreadable',
  ),
  fetchMaxBytes: option(
    'PARTITURA_FETCH_MAX_BYTES',
    count,
    8 * 1024 * 1024,
    'Bytes asked for in one fetch, as they are compressed; records are taken from it while the in-flight bounds have room',
  ),
  ordered: option(
    'PARTITURA_ORDERED',
    flag,
    true,
    'Whether the replies of a partition leave in the order of its requests',
  ),
  replyTopics: option(
    'PARTITURA_REPLY_TOPICS',
    list,
    '',
    'Patterns (* as wildcard) of reply topics that senders may name; empty: names with a `replies` part, or ending in `.reply` as NestJS makes them',
  ),
  bindingTopics: option(
    'PARTITURA_BINDING_TOPICS',
    list,
    '',
    'Topics that bindings may read and write, as patterns (`*` matches anything); empty: none, and no binding runs. Topics of Kafka and of Partitura are never allowed. `up` with a broker of its own allows all others',
  ),
  deadLetterHeaders: option(
    'PARTITURA_DEAD_LETTER_HEADERS',
    z.enum(DEAD_LETTER_STYLES),
    'connect',
    'Whose headers tell of the error in dead letters: connect (`__connect.errors.*`), spring (`kafka_dlt-*`) or both',
  ),
  replyHeaders: option(
    'PARTITURA_REPLY_HEADERS',
    list,
    '',
    'Patterns (* as wildcard) of headers that replies have from their requests, beside those of the trace; empty: none',
  ),
  commitIntervalMs: option(
    'PARTITURA_COMMIT_INTERVAL_MS',
    count,
    500,
    'How often offsets of answered requests are committed, milliseconds',
  ),
  sessionTimeoutMs: option(
    'PARTITURA_SESSION_TIMEOUT_MS',
    number.int().min(6_000),
    10_000,
    "After how long without a sign of life a node's partitions go to others, milliseconds",
  ),
  drainTimeoutMs: option(
    'PARTITURA_DRAIN_TIMEOUT_MS',
    count,
    8_000,
    'How long work under way may take to finish when a node stops or loses partitions, milliseconds; below the session timeout',
  ),
  runTimeoutMs: option(
    'PARTITURA_RUN_TIMEOUT_MS',
    count,
    60_000,
    'How long one batch may compute before its thread is ended, milliseconds',
  ),
  nodeForgetMs: option(
    'PARTITURA_NODE_FORGET_MS',
    number.int().min(1_000),
    300_000,
    'Milliseconds without a status after which a node that did not say goodbye is no longer listed, and other nodes remove it from the topic of nodes where they may read that',
  ),
  nodeId: option('PARTITURA_NODE_ID', optionalText, undefined, 'Name of a node; made up when unset'),
  httpHost: option(
    'PARTITURA_HTTP_HOST',
    text,
    '127.0.0.1',
    'Address on which /metrics, /healthz and /readyz are served',
  ),
  httpPort: option(
    'PARTITURA_HTTP_PORT',
    port,
    0,
    'Port of /metrics, /healthz and /readyz; 0: one that is free',
  ),
  logLevel: option(
    'PARTITURA_LOG_LEVEL',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'info',
    'Least level that is logged',
  ),
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof OPTIONS;
export type Config = { readonly [Name in OptionName]: z.output<(typeof OPTIONS)[Name]['check']> };

/** Values as they come from flags and from the environment, still unchecked. */
export type ConfigInput = Partial<Record<OptionName, unknown>>;

/**
 * Checks values against the table; what is missing gets its default.
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
  if (problems.length > 0)
    throw new PartituraError('INVALID_REQUEST', `configuration: ${problems.join(', ')}`);
  return refuseContradictions(config as Config);
}

function refuseContradictions(config: Config): Config {
  const problem =
    config.drainTimeoutMs >= config.sessionTimeoutMs
      ? `PARTITURA_DRAIN_TIMEOUT_MS (${config.drainTimeoutMs}) must be below PARTITURA_SESSION_TIMEOUT_MS (${config.sessionTimeoutMs})`
      : config.saslMechanism && (config.saslUsername === undefined || config.saslPassword === undefined)
        ? 'KAFKA_SASL_MECHANISM needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD'
        : config.kafkaGroupProtocol === 'consumer' && config.kafkaClient === 'kafkajs'
          ? 'KAFKA_GROUP_PROTOCOL=consumer needs KAFKA_CLIENT=platformatic'
          : config.schemaRegistryAutoRegister && config.schemaRegistryUrl === undefined
            ? 'SCHEMA_REGISTRY_AUTO_REGISTER needs SCHEMA_REGISTRY_URL'
            : undefined;
  if (problem) throw new PartituraError('INVALID_REQUEST', `configuration: ${problem}`);
  return config;
}

/** What the environment says of each option; only `main.ts` files call this. */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): ConfigInput {
  const input: ConfigInput = {};
  for (const [name, { env }] of Object.entries<Option>(OPTIONS)) {
    const value = environment[env];
    if (value !== undefined && value !== '') input[name as OptionName] = value;
  }
  return input;
}

/** The inverse of `fromEnvironment`: what a child process needs to have the same configuration. */
export function toEnvironment(config: Partial<Config>): Record<string, string> {
  const entries = Object.entries(config).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [OPTIONS[name as OptionName].env, String(value)]));
}
