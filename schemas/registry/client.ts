import type { Schema } from 'avsc';

/** What a failed request means for whoever asked. */
export type RegistryErrorKind =
  /** The registry does not have it. */
  | 'unknown'
  /** The registry won't do it: asking again changes nothing. */
  | 'refused'
  /** Registry or network are away, or we are not let in: the same request may succeed later. */
  | 'unavailable';

export class RegistryError extends Error {
  override readonly name = 'RegistryError';

  constructor(
    readonly kind: RegistryErrorKind,
    message: string,
    /** Of the answer; undefined when there was none. */
    readonly status?: number,
    /** The registry's own, where it gave one. */
    readonly code?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A schema that another one names. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

export interface StoredSchema {
  readonly schema: string;
  /** AVRO when the registry does not say. */
  readonly schemaType?: string | null;
  readonly references?: readonly SchemaReference[] | null;
}

/** How a schema belongs to a subject: a version that was deleted, but not for good, takes no new records. */
export type Membership = 'live' | 'deleted' | 'none';

/** What the registry knows a schema of a subject by. */
export interface RegisteredSchema {
  readonly id: number;
  readonly version: number;
  /** Undefined in registries that have none. */
  readonly guid?: string | null;
}

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
const REQUEST_LIMIT_MS = 5_000;
const NOT_FOUND = 404;
const SUBJECT_NOT_FOUND = 40401;
/** Has versions found that were deleted, but not for good. */
const WITH_DELETED = '?deleted=true';
/** Of these a later attempt may come out otherwise: not let in, took too long, too many requests. */
const PASSING = new Set([401, 403, 408, 429]);

/** The addresses of an option that may name several, separated by commas. */
export function urlsIn(urls: string): string[] {
  return urls
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
}

/** One of the addresses at which a registry answers. */
interface Endpoint {
  /** Without credentials, for messages. */
  readonly address: string;
  readonly authorization: Record<string, string>;
}

/**
 * A registry that speaks Confluent's API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 * Every method throws RegistryError.
 */
export class SchemaRegistry {
  /** All addresses, without credentials, for messages. */
  readonly address: string;
  readonly #endpoints: readonly Endpoint[];
  /** The endpoint that answered last: it is asked first. */
  #current = 0;
  readonly #closing = new AbortController();

  /**
   * @param urls where the API begins, or several such addresses of one registry, separated by commas; each may hold
   * `user:password@`
   * @param userInfo `user:password`, instead
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
      throw new RegistryError('unknown', error.message, NOT_FOUND, error.code, { cause: error });
    }
  }

  /** A registry without GUIDs does not have the path either; at a wrong address nothing else is there. */
  async #isRegistry(): Promise<boolean> {
    try {
      await this.probe();
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Asks for what every registry serves to whoever may use it. */
  async probe(): Promise<void> {
    await this.#request('GET', '/schemas/types', Array.isArray);
  }

  /** Finds what a schema refers to: deletion of a version, but for the final one, forbids new references to it and no more. */
  referenced({ subject, version }: SchemaReference): Promise<StoredSchema> {
    return this.#request('GET', `${pathOf(subject)}/versions/${version}${WITH_DELETED}`, isStoredSchema);
  }

  subjects(): Promise<string[]> {
    return this.#request('GET', '/subjects', Array.isArray);
  }

  /** The ids of a subject's schemas, the oldest first; none when there is no such subject. */
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

  /** Finds a schema among those of a subject. */
  find(subject: string, schema: Schema, references?: readonly SchemaReference[]): Promise<RegisteredSchema> {
    return this.#request('POST', pathOf(subject), hasId, { schema: JSON.stringify(schema), references });
  }

  /**
   * Tells whether a schema is among those of a subject; undefined when there is no such subject.
   * @param text as the registry has it: some compare nothing else
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

  /** Makes a schema the subject's latest, unless the subject has it already. */
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

  /** What a subject's new versions are held against; undefined when it has no rule of its own. */
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

  /** Ends what is under way, and all that comes. */
  close(): void {
    this.#closing.abort(new Error('closed'));
  }

  /** Asks one endpoint after the other, until one of them answers as a registry. */
  async #request<T>(method: string, path: string, isExpected: Form, body?: object): Promise<T> {
    for (let tried = 1; ; tried++) {
      const endpoint = this.#endpoints[this.#current % this.#endpoints.length];
      try {
        return await this.#ask<T>(endpoint, method, path, isExpected, body);
      } catch (error) {
        const isAway = error instanceof RegistryError && error.kind === 'unavailable';
        if (!isAway || this.#closing.signal.aborted) throw error;
        this.#current++;
        if (tried >= this.#endpoints.length) throw error;
      }
    }
  }

  async #ask<T>(
    endpoint: Endpoint | undefined,
    method: string,
    path: string,
    isExpected: Form,
    body?: object,
  ): Promise<T> {
    if (!endpoint) throw new RegistryError('refused', 'schema registry: expected an address, got none');
    const { status, text } = await this.#exchange(endpoint, method, path, body);
    const answer = parsed(text);
    const isOk = status >= 200 && status < 300;
    if (isOk && isExpected(answer)) return answer as T;
    const { error_code: code, message } = (answer ?? {}) as { error_code?: number; message?: string };
    const why = isOk ? ', but not with what a schema registry says' : message ? ` (${message})` : '';
    throw new RegistryError(
      status < 300 ? 'unavailable' : kindOf(status, code),
      `${method} ${endpoint.address}${path} was answered with ${status}${why}`,
      status,
      code,
    );
  }

  async #exchange(
    { address, authorization }: Endpoint,
    method: string,
    path: string,
    body?: object,
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
      throw new RegistryError('unavailable', message, undefined, undefined, { cause });
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

/** Undoes percent-encoding; a password with a percent sign that encodes nothing is meant as it stands. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Whether an answer has the form that a registry gives it. Proxies and other services answer with 200, too: what they say
 * must not be taken for a schema.
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

/** A 404 with the registry's own code is about the schema; any other says that no registry is at this address. */
function kindOf(status: number, code = 0): RegistryErrorKind {
  if (status === NOT_FOUND) return Math.floor(code / 100) === NOT_FOUND ? 'unknown' : 'unavailable';
  return PASSING.has(status) || status >= 500 ? 'unavailable' : 'refused';
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

/** Fetch says only that it failed; why stands in its cause. */
function reasonOf(error: Error): string {
  const cause = error.cause as { code?: string; message?: string } | undefined;
  return cause?.message || cause?.code || error.message;
}

function pathOf(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`;
}
