import type { KafkaRecord } from '../../kafka/port.js';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { EXTERNAL_SCHEMA_OPTIONS } from '../../schemas/avro/external.js';
import { readableSchema, safeName } from '../../schemas/avro/writer-schema.js';
import { PartituraError } from '../../schemas/errors.js';
import { schemaLabel, type SchemaKey } from '../../schemas/framing/confluent.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { RegistryError, type Membership, type SchemaRegistry } from '../../schemas/registry/client.js';
import { fetchSchema, type FetchedSchema } from '../../schemas/registry/fetch-schema.js';
import { RegistryCache } from '../requests/registry-cache.js';
import type { AvroResults, AvroWriter } from './avro-results.js';
import type { Fields } from './features.js';
import type { Format, IsPossible, Result, SourceFields, SourceRecord } from './format.js';
import type { Predictions } from './predictions.js';

export interface AvroFormatOptions {
  /** Subject of the source's schemas, if they are registered by topic name. */
  readonly subject: string;
  /** Called when the registry is unavailable; retries continue. */
  onAway(error: Error): void;
  /** Called if no result can be written to records of one of the source's schemas. */
  onProblem(error: Error): void;
}

/** The reader of records with one schema. */
interface Source {
  readonly codec: AvroCodec<Fields>;
  readonly fetched: FetchedSchema;
  readonly membership: Membership | undefined;
}

/** The writer of their results, or the reason why there is none. */
type Results = { readonly write: AvroWriter } | { readonly problem: Error };

/**
 * Reads records in Confluent's wire format, of any schema of their source. A record with another schema is refused alone:
 * writers of the source must not be able to stop its binding or to have schemas registered.
 */
export class AvroFormat implements Format {
  readonly #closing = new AbortController();
  readonly #sources: RegistryCache<SchemaKey, Source>;
  readonly #results: RegistryCache<SchemaKey, Results>;

  constructor(
    readonly registry: SchemaRegistry,
    readonly results: AvroResults,
    readonly options: AvroFormatOptions,
  ) {
    const lookUps = {
      signal: this.#closing.signal,
      probe: () => registry.probe(),
      onAway: (error: Error) => options.onAway(error),
    };
    this.#sources = new RegistryCache((key) => this.#findSource(key), lookUps);
    this.#results = new RegistryCache((key) => this.#findResults(key, this.#sourceOf(key)), lookUps);
  }

  /**
   * Registers the schemas of results before the first record, if the source's are known: in their order, because a
   * registry checks each against the previous ones.
   * @throws Error if no result can be written to records of the newest schema
   */
  async prepare(): Promise<void> {
    let newest: Results | undefined;
    for (const key of await this.registry.ids(this.options.subject))
      newest = await this.#findResults(key, await this.#findSource(key));
    if (newest && 'problem' in newest) throw newest.problem;
  }

  /** Looks up and registers the schema of results once a record has arrived that can have a result. */
  lookUp(record: KafkaRecord, isPossible: IsPossible): Promise<void> | undefined {
    const { value, headers } = record;
    const label = value && schemaLabel(value, headers);
    if (!label || label instanceof PartituraError) return undefined;
    const { key, start } = label;
    const pending = this.#sources.lookUp(key);
    if (pending) return pending.then(() => this.lookUp(record, isPossible));
    const source = this.#sources.get(key);
    if (source instanceof PartituraError) return undefined;
    if (!this.#results.isKnown(key)) {
      const fields = fieldsIfReadable(source.codec, value, start);
      if (!fields || !isPossible(sourceFields(fields))) return undefined;
      return this.#results.lookUp(key)?.then(() => this.lookUp(record, isPossible));
    }
    const results = this.#results.get(key);
    if (!('problem' in results)) return undefined;
    this.options.onProblem(results.problem);
    return new Promise(() => undefined);
  }

  read(value: Buffer, headers: RecordHeaders): SourceRecord {
    const label = schemaLabel(value, headers);
    if (label instanceof PartituraError) throw label;
    const { key, start } = label;
    const fields = decode(this.#sourceOf(key).codec, value, start);
    const result = (added: Predictions): Result => this.#writerOf(key)(value.subarray(start), added);
    return { ...sourceFields(fields), result };
  }

  #sourceOf(key: SchemaKey): Source {
    const source = this.#sources.get(key);
    if (source instanceof PartituraError) throw source;
    return source;
  }

  #writerOf(key: SchemaKey): AvroWriter {
    const results = this.#results.get(key);
    if (results instanceof PartituraError) throw results;
    if ('problem' in results) throw results.problem;
    return results.write;
  }

  async #findSource(key: SchemaKey): Promise<Source> {
    const { codec, fetched } = await this.#fetch(key);
    const { subject } = this.options;
    const membership = await this.registry.membership(subject, fetched.text, fetched.references);
    if (membership !== 'none') return { codec, fetched, membership };
    throw new PartituraError(
      'DECODE_FAILED',
      `schema ${key}: expected one of subject '${subject}', got another`,
    );
  }

  async #findResults(key: SchemaKey, { fetched, membership }: Source): Promise<Results> {
    try {
      return { write: await this.results(fetched, typeof key === 'string') };
    } catch (cause) {
      if (isAway(cause)) throw cause;
      const problem = cause instanceof RegistryError ? refusedSchema(cause) : (cause as Error);
      if (membership !== 'live') throw problem;
      return { problem };
    }
  }

  async #fetch(key: SchemaKey): Promise<{ codec: AvroCodec<Fields>; fetched: FetchedSchema }> {
    try {
      const fetched = await fetchSchema(this.registry, key);
      const definitions = fetched.definitions.map(readableSchema);
      const codec = new AvroCodec<Fields>(
        readableSchema(fetched.schema),
        definitions,
        EXTERNAL_SCHEMA_OPTIONS,
      );
      return { codec, fetched };
    } catch (cause) {
      if (isAway(cause)) throw cause;
      const expected = `schema ${key}: expected an Avro schema that ${this.registry.address} has`;
      throw new PartituraError('DECODE_FAILED', `${expected}, got: ${(cause as Error).message}`, { cause });
    }
  }

  close(): void {
    this.#closing.abort();
  }
}

function isAway(cause: unknown): boolean {
  return cause instanceof RegistryError && cause.kind === 'unavailable';
}

function decode(codec: AvroCodec<Fields>, value: Buffer, start: number): Fields {
  try {
    return codec.decode(value, start);
  } catch (cause) {
    throw PartituraError.from(cause, 'DECODE_FAILED');
  }
}

function fieldsIfReadable(codec: AvroCodec<Fields>, value: Buffer, start: number): Fields | undefined {
  try {
    return codec.decode(value, start);
  } catch {
    return undefined;
  }
}

function sourceFields(fields: Fields): SourceFields {
  return { fields, finite: false, spell: safeName };
}

/** Returns the error for a schema of ours that the registry refused, which is not the record's fault. */
function refusedSchema(cause: RegistryError): PartituraError {
  return new PartituraError('INTERNAL', `schema of the results: ${cause.message}`, { cause });
}
