import { z } from 'zod';
import { addresses, count, flag, option, optionalText, secret } from './option.js';

/** Implementations of the Kafka port. */
export const KAFKA_CLIENTS = ['kafkajs', 'native'] as const;
export type KafkaClientName = (typeof KAFKA_CLIENTS)[number];

/** Former names of the Kafka clients, still accepted. */
const CLIENT_ALIASES: Readonly<Record<string, KafkaClientName>> = { platformatic: 'native' };

const kafkaClient = z.preprocess(
  (value) => (typeof value === 'string' ? (CLIENT_ALIASES[value] ?? value) : value),
  z.enum(KAFKA_CLIENTS),
);

/** Options for connecting to Kafka. */
export const KAFKA = {
  brokers: option('KAFKA_BROKERS', addresses, '127.0.0.1:9092', 'Bootstrap brokers, comma-separated'),
  saslMechanism: option(
    'KAFKA_SASL_MECHANISM',
    z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    undefined,
    'SASL mechanism: plain, scram-sha-256 or scram-sha-512; no SASL if unset',
  ),
  saslUsername: option('KAFKA_SASL_USERNAME', optionalText, undefined, 'SASL user name'),
  saslPassword: secret('KAFKA_SASL_PASSWORD', optionalText, 'SASL password'),
  ssl: option('KAFKA_SSL', flag, false, 'Connect to brokers over TLS'),
  sslCa: option(
    'KAFKA_SSL_CA',
    optionalText,
    undefined,
    "File with the certificates of the certificate authority (PEM); the system's authorities if unset",
  ),
  sslCert: option('KAFKA_SSL_CERT', optionalText, undefined, 'File with the client certificate (PEM)'),
  sslKey: option('KAFKA_SSL_KEY', optionalText, undefined, 'File with the private key of the client (PEM)'),
  sslKeyPassphrase: secret('KAFKA_SSL_KEY_PASSPHRASE', optionalText, 'Passphrase of the private key'),
  kafkaClient: option(
    'KAFKA_CLIENT',
    kafkaClient,
    'native',
    'Kafka client: native (our own, on the connections of @platformatic/kafka; Kafka 3.2 or later) or kafkajs. `platformatic` is an alias of native',
  ),
  kafkaInstanceId: option(
    'KAFKA_INSTANCE_ID',
    optionalText,
    undefined,
    'Static group membership: the `group.instance.id`, which must be unique to each node; native client only',
  ),
  kafkaGroupProtocol: option(
    'KAFKA_GROUP_PROTOCOL',
    z.enum(['classic', 'consumer']),
    'classic',
    'Group protocol: classic, or consumer (KIP-848; Kafka 4.0 or later), in which the broker assigns partitions; native client only',
  ),
  fetchMaxBytes: option(
    'PARTITURA_FETCH_MAX_BYTES',
    count,
    8 * 1024 * 1024,
    'Maximum bytes of one fetch, compressed',
  ),
};
