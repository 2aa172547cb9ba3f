import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { access, constants } from 'node:fs/promises';
import type { Config } from '../../core/config/config.js';

/** Interval in which replaced certificates are read again, milliseconds. */
const REFRESH_MS = 10_000;

/**
 * Returns credentials for TLS if the configuration names a certificate.
 * @throws Error if a file cannot be read
 */
export async function serverCredentials({
  gatewayTlsCert,
  gatewayTlsKey,
}: Pick<Config, 'gatewayTlsCert' | 'gatewayTlsKey'>): Promise<ServerCredentials> {
  if (gatewayTlsCert === undefined || gatewayTlsKey === undefined) return ServerCredentials.createInsecure();
  await Promise.all([access(gatewayTlsCert, constants.R_OK), access(gatewayTlsKey, constants.R_OK)]);
  const files = new experimental.FileWatcherCertificateProvider({
    certificateFile: gatewayTlsCert,
    privateKeyFile: gatewayTlsKey,
    refreshIntervalMs: REFRESH_MS,
  });
  return experimental.createCertificateProviderServerCredentials(files, null, false);
}
