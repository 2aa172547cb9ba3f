import type { Schema } from 'avsc';

/** Classification of a failed request, by what the caller can do about it. */
export type RegistryErrorKind =
  /** The registry does not have the schema, subject or version. */
  | 'unknown'
  /** The registry refuses the request; retrying changes nothing. */
  | 'refused'
  /** Registry or network are unavailable, or access is denied: the same request may succeed later. */
  | 'unavailable';

export interface RegistryErrorOptions extends ErrorOptions {
  /** The registry's own error code, if it sent one. */
  readonly code?: number | undefined;
}

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: number | undefined;

  constructor(
    readonly kind: RegistryErrorKind,
    message: string,
    /** Status of the response; undefined without one. */
    readonly status?: number,
    { code, ...options }: RegistryErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
  }
}

/** A reference to another schema. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface StoredSchema {
  readonly schema: string;
  /** AVRO if the registry does not specify it. */
  readonly schemaType?: string | null;
  readonly references?: readonly SchemaReference[] | null;
}

/** Membership of a schema in a subject: a soft-deleted version accepts no new records. */
export type Membership = 'live' | 'deleted' | 'none';

/** Identifiers of a registered schema. */
export interface RegisteredSchema {
  readonly id: number;
  readonly version: number;
  /** Undefined for registries without GUIDs. */
  readonly guid?: string | null;
}

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
const REQUEST_LIMIT_MS = 5_000;
const NOT_FOUND = 404;
const SUBJECT_NOT_FOUND = 40401;
/** Includes soft-deleted versions. */
const WITH_DELETED = '?deleted=true';
/** Statuses after which a retry may succeed: access denied, timeout, too many requests. */
const RETRIABLE_STATUSES = new Set([401, 403, 408, 429]);

/** Splits an option that may list several addresses, separated by commas. */
export function urlsIn(urls: string): string[] {
  return urls
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
}

/** One of a registry's addresses. */
interface Endpoint {
  /** Without credentials, for messages. */
  readonly address: string;
  readonly authorization: Record<string, string>;
}

interface RegistryRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: object | undefined;
}

/**
 * A client of registries with Confluent's API. Every method throws RegistryError.
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
export class SchemaRegistry {
  /** All addresses, without credentials, for messages. */
  readonly address: string;
  readonly #endpoints: readonly Endpoint[];
  /** Index of the endpoint that answered last, which is asked first. */
  #current = 0;
  readonly #closing = new AbortController();

  /**
   * @param urls base URL of the API, or several URLs of one registry, separated by commas; each may contain
   * `user:password@`
   * @param userInfo `user:password`, which takes precedence
   */
  constructor(
    urls: string,
    userInfo?: string,
    readonly limitMs = REQUEST_LIMIT_MS,
  ) {
    this.#endpoints = urlsIn(urls).map((url) => endpointOf(url, userInfo));
    this.address = this.#endpoints.map(({ address }) => address).join(',');
  }

  schemaById(id: number): Promise<StoredSchema> {
    return this.#request('GET', `/schemas/ids/${id}`, isStoredSchema);
  }

  async schemaByGuid(guid: string): Promise<StoredSchema> {
    try {
      return await this.#request('GET', `/schemas/guids/${guid}`, isStoredSchema);
    } catch (error) {
      if (!isNotFound(error) || !(await this.#isRegistry())) throw error;
      throw new RegistryError('unknown', error.message, NOT_FOUND, { code: error.code, cause: error });
    }
  }

  /**
   * Returns false if no registry answers: one without GUIDs lacks only that path, a wrong address lacks all of them.
   */
  async #isRegistry(): Promise<boolean> {
    try {
      await this.probe();
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Requests a resource that every registry serves to authorized clients. */
  async probe(): Promise<void> {
    await this.#request('GET', '/schemas/types', Array.isArray);
  }

  /** Fetches a referenced schema; soft deletion only forbids new references to it. */
  referenced({ subject, version }: SchemaReference): Promise<StoredSchema> {
    return this.#request('GET', `${pathOf(subject)}/versions/${version}${WITH_DELETED}`, isStoredSchema);
  }

  subjects(): Promise<string[]> {
    return this.#request('GET', '/subjects', Array.isArray);
  }

  /** Returns the ids of a subject's schemas, oldest first; none if the subject does not exist. */
  async ids(subject: string): Promise<number[]> {
    try {
      const versions = await this.#request<number[]>('GET', `${pathOf(subject)}/versions`, Array.isArray);
      const ids: number[] = [];
      for (const version of versions) ids.push((await this.#version(subject, version)).id);
      return ids;
    } catch (error) {
      if (error instanceof RegistryError && error.kind === 'unknown') return [];
      throw error;
    }
  }

  #version(subject: string, version: number): Promise<{ id: number }> {
    return this.#request('GET', `${pathOf(subject)}/versions/${version}`, hasId);
  }

  /** Finds a schema in a subject. */
  find(subject: string, schema: Schema, references?: readonly SchemaReference[]): Promise<RegisteredSchema> {
    return this.#request('POST', pathOf(subject), hasId, { schema: JSON.stringify(schema), references });
  }

  /**
   * Looks up a schema in a subject; undefined if the subject does not exist.
   * @param text the schema text as stored: some registries compare nothing else
   */
  async membership(
    subject: string,
    text: string,
    references?: readonly SchemaReference[],
  ): Promise<Membership | undefined> {
    const live = await this.#has(pathOf(subject), text, references);
    if (live !== false) return live && 'live';
    return (await this.#has(pathOf(subject) + WITH_DELETED, text, references)) ? 'deleted' : 'none';
  }

  async #has(
    path: string,
    text: string,
    references?: readonly SchemaReference[],
  ): Promise<boolean | undefined> {
    try {
      await this.#request('POST', path, hasId, { schema: text, references });
      return true;
    } catch (error) {
      if (!(error instanceof RegistryError) || error.kind !== 'unknown') throw error;
      return error.code === SUBJECT_NOT_FOUND ? undefined : false;
    }
  }

  /** Registers a schema in a subject, unless it is there already. */
  async register(
    subject: string,
    schema: Schema,
    references?: readonly SchemaReference[],
  ): Promise<RegisteredSchema> {
    const body = { schema: JSON.stringify(schema), references };
    await this.#request('POST', `${pathOf(subject)}/versions`, hasId, body);
    return this.find(subject, schema, references);
  }

  async setCompatibility(subject: string, compatibility: string): Promise<void> {
    await this.#request('PUT', `/config/${encodeURIComponent(subject)}`, isObject, { compatibility });
  }

  /** Returns a subject's compatibility level; undefined if it has none of its own. */
  async compatibility(subject: string): Promise<string | undefined> {
    const path = `/config/${encodeURIComponent(subject)}`;
    try {
      const { compatibilityLevel } = await this.#request<{ compatibilityLevel?: string }>(
        'GET',
        path,
        isObject,
      );
      return compatibilityLevel;
    } catch (error) {
      if (error instanceof RegistryError && error.kind === 'unknown') return undefined;
      throw error;
    }
  }

  /** Aborts pending requests and refuses later ones. */
  close(): void {
    this.#closing.abort(new Error('closed'));
  }

  /** Tries the endpoints in turn until one answers as a registry. */
  async #request<T>(method: string, path: string, isExpected: Form, body?: object): Promise<T> {
    const request = { method, path, body };
    for (let tried = 1; ; tried++) {
      const endpoint = this.#endpoints[this.#current % this.#endpoints.length];
      try {
        return await this.#ask<T>(endpoint, request, isExpected);
      } catch (error) {
        const isUnavailable = error instanceof RegistryError && error.kind === 'unavailable';
        if (!isUnavailable || this.#closing.signal.aborted) throw error;
        this.#current++;
        if (tried >= this.#endpoints.length) throw error;
      }
    }
  }

  async #ask<T>(endpoint: Endpoint | undefined, request: RegistryRequest, isExpected: Form): Promise<T> {
    if (!endpoint) throw new RegistryError('refused', 'schema registry: expected an address, got none');
    const { status, text } = await this.#exchange(endpoint, request);
    const answer = parsed(text);
    const isOk = status >= 200 && status < 300;
    if (isOk && isExpected(answer)) return answer as T;
    const { error_code: code, message } = (answer ?? {}) as { error_code?: number; message?: string };
    const why = isOk ? ' with an unexpected body' : message ? ` (${message})` : '';
    throw new RegistryError(
      status < 300 ? 'unavailable' : kindOf(status, code),
      `${request.method} ${endpoint.address}${request.path} returned ${status}${why}`,
      status,
      { code },
    );
  }

  async #exchange(
    { address, authorization }: Endpoint,
    { method, path, body }: RegistryRequest,
  ): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(address + path, {
        method,
        headers: { ...authorization, accept: MEDIA_TYPE, ...(body && { 'content-type': MEDIA_TYPE }) },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.limitMs)]),
      });
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      const message = `the schema registry ${address} cannot be reached: ${reasonOf(cause as Error)}`;
      throw new RegistryError('unavailable', message, undefined, { cause });
    }
  }
}

function endpointOf(url: string, userInfo?: string): Endpoint {
  const { origin, pathname, username, password } = new URL(url);
  const inUrl = username === '' ? undefined : `${unescaped(username)}:${unescaped(password)}`;
  const credentials = userInfo ?? inUrl;
  return {
    address: origin + pathname.replace(/\/+$/, ''),
    authorization:
      credentials === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
  };
}

/** Undoes percent-encoding; a password with a percent sign that is not an escape is used literally. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Checks that a response has the form of a registry response. Proxies and other services may answer with 200, too,
 * and their content must not be treated as a schema.
 */
type Form = (answer: unknown) => boolean;

function isObject(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && !Array.isArray(answer);
}

function isStoredSchema(answer: unknown): boolean {
  return typeof (answer as StoredSchema | undefined)?.schema === 'string';
}

function hasId(answer: unknown): boolean {
  return Number.isSafeInteger((answer as { id?: unknown } | undefined)?.id);
}

/** Classifies a status: a 404 without a registry error code means that there is no registry at this address. */
function kindOf(status: number, code = 0): RegistryErrorKind {
  if (status === NOT_FOUND) return Math.floor(code / 100) === NOT_FOUND ? 'unknown' : 'unavailable';
  return RETRIABLE_STATUSES.has(status) || status >= 500 ? 'unavailable' : 'refused';
}

function isNotFound(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.kind === 'unavailable' && error.status === NOT_FOUND;
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the reason of a failed fetch, which is in its cause. */
function reasonOf(error: Error): string {
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause?.message || cause?.code || error.message;
}

function pathOf(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`;
}
