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
  /** What the source's schemas are registered under, where they are by the name of their topic. */
  readonly subject: string;
  /** The registry is away and asked again. */
  onAway(error: Error): void;
  /** There can be no results to records of a schema of the source's. */
  onProblem(error: Error): void;
}

/** What it takes to read records that were written with one schema. */
interface Source {
  readonly codec: AvroCodec<Fields>;
  readonly fetched: FetchedSchema;
  readonly membership: Membership | undefined;
}

/** What it takes to write the results to them, or why there can be none. */
type Results = { readonly write: AvroWriter } | { readonly problem: Error };

/**
 * Records in Confluent's framings, of any schema of their source. One with another schema is refused alone: whoever may write
 * to the source must not be able to stop its binding, or to have schemas registered.
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
   * Has the schemas of results registered before the first record comes, where the source's are known: in the order in which
   * those came, since a registry holds each against the ones before.
   * @throws Error when there can be no results to records of the newest
   */
  async prepare(): Promise<void> {
    let newest: Results | undefined;
    for (const key of await this.registry.ids(this.options.subject))
      newest = await this.#findResults(key, await this.#findSource(key));
    if (newest && 'problem' in newest) throw newest.problem;
  }

  /** Looks the schema of the results up, and has it registered, once a record has come that there can be a result to. */
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

/** A refusal of a schema of ours says nothing against the record. */
function refusedSchema(cause: RegistryError): PartituraError {
  return new PartituraError('INTERNAL', `schema of the results: ${cause.message}`, { cause });
}
