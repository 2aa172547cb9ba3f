import { statSync } from 'node:fs';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import { ownerOf, readApiKeys, type ApiKeys } from './api-keys.js';
import { ANYBODY, unauthenticated, type Identity } from './identity.js';
import { tokenVerifier, type VerifyToken } from './jwt.js';

/** Interval at which the file of API keys is checked for changes, milliseconds. */
const CHECK_MS = 5_000;

/** Headers or metadata of a request, with lower-case names. */
export type CredentialHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Finds out who sends a request, by API key or token. */
export class Authenticator {
  readonly #verifyToken: VerifyToken | undefined;
  readonly #file: string | undefined;
  #keys: ApiKeys = new Map();
  #changedAt = 0;
  #checkedAt = 0;

  /** @throws PartituraError INVALID_REQUEST if the file of API keys is invalid */
  constructor(
    config: Config,
    readonly log: Logger,
  ) {
    this.#verifyToken = tokenVerifier(config);
    this.#file = config.gatewayApiKeys;
    if (this.#file === undefined) return;
    this.#changedAt = statSync(this.#file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    this.#keys = readApiKeys(this.#file);
  }

  /** True if requests need a credential. */
  get isRequired(): boolean {
    return this.#file !== undefined || this.#verifyToken !== undefined;
  }

  /** @throws FrontError 401 without a valid credential */
  async identify(headers: CredentialHeaders): Promise<Identity> {
    if (!this.isRequired) return ANYBODY;
    const credential = credentialOf(headers);
    if (credential === undefined)
      throw unauthenticated("expected a credential in 'Authorization' or 'X-API-Key', got none");
    this.#reloadKeys();
    const owner = ownerOf(this.#keys, credential);
    if (owner) return owner;
    if (this.#verifyToken && credential.split('.').length === 3) return this.#verifyToken(credential);
    throw unauthenticated('expected a known credential, got another');
  }

  /** Reads changed keys; while the file is invalid, the previous keys stay. */
  #reloadKeys(): void {
    const now = Date.now();
    if (this.#file === undefined || now - this.#checkedAt < CHECK_MS) return;
    this.#checkedAt = now;
    const changedAt = statSync(this.#file, { throwIfNoEntry: false })?.mtimeMs;
    if (changedAt === undefined || changedAt === this.#changedAt) return;
    this.#changedAt = changedAt;
    try {
      this.#keys = readApiKeys(this.#file);
      this.log.info({ keys: this.#keys.size }, 'API keys reloaded');
    } catch (error) {
      this.log.error({ err: error }, 'API keys cannot be reloaded; keeping the previous ones');
    }
  }
}

/**
 * Reads the credential: `X-API-Key`, `Authorization: Bearer <credential>`, or `Basic`, with the credential itself (as
 * IBM's SDK sends it) or with it as password.
 */
export function credentialOf(headers: CredentialHeaders): string | undefined {
  const { 'x-api-key': key, authorization } = headers;
  if (typeof key === 'string' && key !== '') return key;
  if (typeof authorization !== 'string') return undefined;
  const [, scheme, value] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme?.toLowerCase() === 'bearer') return value;
  return scheme?.toLowerCase() === 'basic' && value !== undefined ? fromBasic(value) : undefined;
}

function fromBasic(value: string): string {
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const isPair =
    colon !== -1 && Buffer.from(decoded).toString('base64').replace(/=+$/, '') === value.replace(/=+$/, '');
  return isPair ? decoded.slice(colon + 1) : value;
}
