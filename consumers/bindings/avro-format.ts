import type { KafkaRecord } from '../../core/kafka/port.js';
import { AvroCodec } from '../../schemas/avro/codec.js';
import { STRANGERS } from '../../schemas/avro/strangers.js';
import { readableSchema, safeName } from '../../schemas/avro/writer-schema.js';
import { PartituraError } from '../../schemas/errors.js';
import { schemaLabel, type SchemaKey } from '../../schemas/framing/confluent.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import { RegistryError, type SchemaRegistry } from '../../schemas/registry/client.js';
import { fetchSchema, type FetchedSchema } from '../../schemas/registry/fetch-schema.js';
import { LookUps } from '../look-ups.js';
import type { AvroResults, AvroWriter } from './avro-results.js';
import type { Fields } from './features.js';
import type { Format, SourceRecord } from './format.js';

export interface AvroFormatOptions {
  /** What the source's schemas are registered under, where they are by the name of their topic. */
  readonly subject: string;
  /** The registry is away and asked again. */
  onAway(error: Error): void;
  /** There can be no results to records of a schema of the source's. */
  onProblem(error: Error): void;
}

/** What it takes to read records that were written with one schema, and to write the results to them. */
interface Known {
  readonly codec: AvroCodec<Fields>;
  readonly write: AvroWriter;
}

/**
 * Records in Confluent's framings, of any schema of their source. One with another schema is refused alone: whoever may write
 * to the source must not be able to stop its binding, or to have schemas registered.
 */
export class AvroFormat implements Format {
  readonly #closing = new AbortController();
  readonly #schemas: LookUps<SchemaKey, Known | { readonly problem: Error }>;

  constructor(
    readonly registry: SchemaRegistry,
    readonly results: AvroResults,
    readonly options: AvroFormatOptions,
  ) {
    this.#schemas = new LookUps((key) => this.#find(key), {
      signal: this.#closing.signal,
      probe: () => registry.probe(),
      onAway: (error) => options.onAway(error),
    });
  }

  /**
   * Has the schemas of results registered before the first record comes, where the source's are known: in the order in which
   * those came, since a registry holds each against the ones before.
   * @throws Error when there can be no results to records of the newest
   */
  async prepare(): Promise<void> {
    let newest: Known | { readonly problem: Error } | undefined;
    for (const key of await this.registry.ids(this.options.subject)) newest = await this.#find(key);
    if (newest && 'problem' in newest) throw newest.problem;
  }

  lookUp({ value, headers }: KafkaRecord): Promise<void> | undefined {
    const label = value && schemaLabel(value, headers);
    if (!label || label instanceof PartituraError) return undefined;
    const pending = this.#schemas.lookUp(label.key);
    if (pending) return pending;
    const known = this.#schemas.get(label.key);
    if (!('problem' in known)) return undefined;
    this.options.onProblem(known.problem);
    return new Promise(() => undefined);
  }

  read(value: Buffer, headers: RecordHeaders): SourceRecord {
    const label = schemaLabel(value, headers);
    if (label instanceof PartituraError) throw label;
    const known = this.#schemas.get(label.key);
    if (known instanceof PartituraError) throw known;
    if ('problem' in known) throw known.problem;
    const fields = decode(known.codec, value, label.start);
    return {
      fields,
      finite: false,
      spell: safeName,
      result: (added) => known.write(value.subarray(label.start), added),
    };
  }

  async #find(key: SchemaKey): Promise<Known | { readonly problem: Error }> {
    const { codec, fetched } = await this.#source(key);
    const { subject } = this.options;
    const membership = await this.registry.membership(subject, fetched.text, fetched.references);
    if (membership === 'none')
      throw new PartituraError(
        'DECODE_FAILED',
        `schema ${key}: expected one of subject '${subject}', got another`,
      );
    try {
      return { codec, write: await this.results(fetched, typeof key === 'string') };
    } catch (cause) {
      if (isAway(cause) || membership !== 'live') throw cause;
      return { problem: cause as Error };
    }
  }

  async #source(key: SchemaKey): Promise<{ codec: AvroCodec<Fields>; fetched: FetchedSchema }> {
    try {
      const fetched = await fetchSchema(this.registry, key);
      const definitions = fetched.definitions.map(readableSchema);
      const codec = new AvroCodec<Fields>(readableSchema(fetched.schema), definitions, STRANGERS);
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
