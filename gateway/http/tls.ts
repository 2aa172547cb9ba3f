import { readFileSync, statSync } from 'node:fs';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import { PartituraError } from '../../schemas/errors.js';

const CHECK_MS = 5_000;

export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

type TlsFiles = Pick<Config, 'gatewayTlsCert' | 'gatewayTlsKey'>;

/** Reads certificate and key; undefined if TLS is off. @throws PartituraError INVALID_REQUEST */
export function readKeyPair({ gatewayTlsCert, gatewayTlsKey }: TlsFiles): KeyPair | undefined {
  if (gatewayTlsCert === undefined || gatewayTlsKey === undefined) return undefined;
  return { cert: readPem(gatewayTlsCert), key: readPem(gatewayTlsKey) };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new PartituraError('INVALID_REQUEST', `TLS: expected a readable file, got '${path}'`, { cause });
  }
}

/**
 * Calls `use` with the new certificate whenever its file changes; while it is invalid, the previous one stays.
 * @returns a function that ends the watch
 */
export function watchKeyPair(files: TlsFiles, use: (pair: KeyPair) => void, log: Logger): () => void {
  let stamp = stampOf(files);
  const timer = setInterval(() => {
    const current = stampOf(files);
    if (current === stamp) return;
    stamp = current;
    try {
      const pair = readKeyPair(files);
      if (pair) use(pair);
      log.info({ file: files.gatewayTlsCert }, 'TLS certificate reloaded');
    } catch (error) {
      log.error({ err: error }, 'TLS certificate cannot be reloaded; keeping the previous one');
    }
  }, CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function stampOf({ gatewayTlsCert, gatewayTlsKey }: TlsFiles): string {
  return [gatewayTlsCert, gatewayTlsKey]
    .map((path) => (path === undefined ? '' : String(statSync(path, { throwIfNoEntry: false })?.mtimeMs)))
    .join(' ');
}
