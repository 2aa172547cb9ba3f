import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { createSecureContext } from 'node:tls';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import { PartituraError } from '../../schemas/errors.js';
import { readKeyPair, watchKeyPair, type KeyPair } from '../http/tls.js';

type TlsFiles = Pick<Config, 'gatewayTlsCert' | 'gatewayTlsKey'>;
type Listener = experimental.IdentityCertificateUpdateListener;

/**
 * Returns credentials for TLS if the configuration names a certificate; replaced files are read again.
 * @throws PartituraError INVALID_REQUEST if the files are no certificate with its key
 */
export function serverCredentials(files: TlsFiles, log: Logger): ServerCredentials {
  const pair = readKeyPair(files);
  if (!pair) return ServerCredentials.createInsecure();
  checkPair(pair);
  return experimental.createCertificateProviderServerCredentials(
    new ServedCertificate(pair, files, log),
    null,
    false,
  );
}

/** Hands the current certificate to grpc-js. */
class ServedCertificate implements experimental.CertificateProvider {
  readonly #listeners = new Set<Listener>();
  #stopWatching: (() => void) | undefined;

  constructor(
    public pair: KeyPair,
    readonly files: TlsFiles,
    readonly log: Logger,
  ) {}

  addIdentityCertificateListener(listener: Listener): void {
    this.#listeners.add(listener);
    // grpc-js hears of a certificate only after this call.
    queueMicrotask(() => this.#tell(listener));
    this.#stopWatching ??= watchKeyPair(this.files, (pair) => this.#replace(pair), this.log);
  }

  removeIdentityCertificateListener(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  // Clients have no certificates.
  addCaCertificateListener(): void {}
  removeCaCertificateListener(): void {}

  #replace(pair: KeyPair): void {
    checkPair(pair);
    this.pair = pair;
    for (const listener of this.#listeners) this.#tell(listener);
  }

  #tell(listener: Listener): void {
    listener({ certificate: this.pair.cert, privateKey: this.pair.key });
  }
}

/** With a faulty pair, grpc-js would refuse all connections. */
function checkPair(pair: KeyPair): void {
  try {
    createSecureContext(pair);
  } catch (cause) {
    const { message } = cause as Error;
    throw new PartituraError('INVALID_REQUEST', `TLS: expected a certificate with its key: ${message}`, {
      cause,
    });
  }
}
