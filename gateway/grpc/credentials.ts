import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Config } from '../../core/config/config.js';
import { PartituraError } from '../../schemas/errors.js';

/** Interval in which replaced certificates are read again, milliseconds. */
const REFRESH_MS = 10_000;

/**
 * Returns credentials for TLS if the configuration names a certificate.
 * @throws PartituraError INVALID_REQUEST if the files are no certificate with its key
 */
export async function serverCredentials({
  gatewayTlsCert,
  gatewayTlsKey,
}: Pick<Config, 'gatewayTlsCert' | 'gatewayTlsKey'>): Promise<ServerCredentials> {
  if (gatewayTlsCert === undefined || gatewayTlsKey === undefined) return ServerCredentials.createInsecure();
  await checkPair(gatewayTlsCert, gatewayTlsKey);
  const files = new experimental.FileWatcherCertificateProvider({
    certificateFile: gatewayTlsCert,
    privateKeyFile: gatewayTlsKey,
    refreshIntervalMs: REFRESH_MS,
  });
  return experimental.createCertificateProviderServerCredentials(files, null, false);
}

/** grpc-js itself would only log a faulty pair, and refuse all connections. */
async function checkPair(certFile: string, keyFile: string): Promise<void> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new PartituraError(
      'INVALID_REQUEST',
      `gateway certificate: expected a certificate and its key in ${certFile} and ${keyFile}: ${(cause as Error).message}`,
      { cause },
    );
  }
}
