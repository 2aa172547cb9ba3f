import { readFileSync } from 'node:fs';
import type { Config } from '../config.js';

/** How to reach the cluster: the part of the configuration that Kafka clients read, and which client it is. */
export type KafkaConnection = Pick<
  Config,
  | 'kafkaClient'
  | 'brokers'
  | 'saslMechanism'
  | 'saslUsername'
  | 'saslPassword'
  | 'ssl'
  | 'sslCa'
  | 'sslCert'
  | 'sslKey'
>;

/** Authorities and own certificate, read from their files; undefined without TLS. */
export function tlsFiles({ ssl, sslCa, sslCert, sslKey }: KafkaConnection):
  | {
      ca?: string[];
      cert?: string;
      key?: string;
    }
  | undefined {
  if (!ssl) return undefined;
  return {
    ...(sslCa ? { ca: [readFileSync(sslCa, 'utf8')] } : {}),
    ...(sslCert ? { cert: readFileSync(sslCert, 'utf8') } : {}),
    ...(sslKey ? { key: readFileSync(sslKey, 'utf8') } : {}),
  };
}
