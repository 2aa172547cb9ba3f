import avro, { type ForSchemaOptions, type Schema, type Type } from 'avsc';
import { boundArrays } from './bounded-arrays.js';
import { fingerprint } from './fingerprint.js';
import { resolveBySpecification } from './resolution.js';
import { BoundedTap } from './tap.js';
import { readableSchema } from './writer-schema.js';

boundArrays();
resolveBySpecification();

/** What avsc compiles a type or a resolver to; the public methods read through a copying, unbounded reader. */
interface Readable {
  _read(tap: BoundedTap): unknown;
}

const SLAB_BYTES = 64 * 1024;

/**
 * Encodes and decodes one record type. Schemas that it names must come first in `dependencies`.
 * `bytes` fields of a decoded value are views into the decoded buffer: they live as long as it is not changed.
 */
export class AvroCodec<T> {
  readonly fingerprint: Buffer;
  /** The schema in canonical form, which is all that a reader of another version needs. */
  readonly canonicalSchema: string;
  readonly #type: Type;
  readonly #optional: OptionalFields;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;

  /** @param options how avsc is to understand the schema: for those of strangers, see `STRANGERS` */
  constructor(schema: Schema, dependencies: readonly Schema[] = [], options?: Partial<ForSchemaOptions>) {
    this.#type = parseSchema(schema, dependencies, options);
    this.#optional = optionalFields(schema, dependencies, options);
    this.fingerprint = fingerprintOf(this.#type);
    this.canonicalSchema = JSON.stringify(this.#type.schema());
  }

  /**
   * Encodes with `prefix` before the value, in one buffer.
   * @throws Error that names the field when the value does not fit the schema
   */
  encode(value: T, prefix: Buffer): Buffer {
    const start = this.#used;
    const end = this.#type.encode(value, this.#slab, start + prefix.length);
    if (end >= 0) return this.#take(start, end, prefix);
    if (start === 0) this.#renew(this.#slab.length - end);
    else this.#renew(SLAB_BYTES);
    return this.encode(value, prefix);
  }

  #take(start: number, end: number, prefix: Buffer): Buffer {
    prefix.copy(this.#slab, start);
    this.#used = end;
    return this.#slab.subarray(start, end);
  }

  /** Encoded records are views into the slab, so a full slab is left to them and a fresh one begun. */
  #renew(bytes: number): void {
    this.#slab = Buffer.allocUnsafeSlow(Math.max(bytes, SLAB_BYTES));
    this.#used = 0;
  }

  /**
   * Decodes the value that begins at `offset` and fills the rest of `buffer`.
   * @throws RangeError when the data is truncated or goes on after the value
   */
  decode(buffer: Buffer, offset = 0, reader?: AvroReader<T>): T {
    const tap = new BoundedTap(buffer, offset);
    const source = reader ? reader.readable : (this.#type as unknown as Readable);
    const value = source._read(tap) as T;
    if (tap.pos !== buffer.length) {
      throw new RangeError(`Avro data goes on after the record: ${buffer.length - tap.pos} bytes left over`);
    }
    return value;
  }

  /**
   * A reader for data that was written with another version of the schema. Where the writer's fields may be null and ours
   * have a default, null stands for that: many writers have every field that may be left out so.
   * @throws Error when the writer's schema can't be resolved to this one
   */
  readerFor(writer: Schema, dependencies: readonly Schema[] = []): AvroReader<T> {
    const type = parseSchema(readableSchema(writer), dependencies.map(readableSchema));
    const { reader, defaults } = this.#optional;
    const resolved = reader().createResolver(type) as unknown as Readable;
    return {
      fingerprint: fingerprintOf(type),
      readable: { _read: (tap) => filled(resolved._read(tap), defaults) },
    };
  }
}

/** Resolves a writer's schema to ours: https://avro.apache.org/docs/1.12.0/specification/#schema-resolution */
export interface AvroReader<T> {
  readonly fingerprint: Buffer;
  readonly readable: Readable;
  /** Ties the reader to its codec's type. */
  readonly value?: T;
}

/** Fields with a default that is not null, which writers may have as null. */
interface OptionalFields {
  /** The type that takes null for each of them. */
  readonly reader: () => Type;
  readonly defaults: readonly (readonly [name: string, value: unknown])[];
}

function optionalFields(
  schema: Schema,
  dependencies: readonly Schema[],
  options?: Partial<ForSchemaOptions>,
): OptionalFields {
  const { fields = [] } = schema as unknown as {
    fields?: { name: string; type: unknown; default?: unknown }[];
  };
  const takesDefault = (field: { default?: unknown }): boolean =>
    field.default !== undefined && field.default !== null;
  const nullable = fields.map((field) =>
    takesDefault(field) && !Array.isArray(field.type) ? { ...field, type: [field.type, 'null'] } : field,
  );
  let type: Type | undefined;
  return {
    reader: () =>
      (type ??= parseSchema({ ...(schema as object), fields: nullable } as never, dependencies, options)),
    defaults: fields.filter(takesDefault).map((field) => [field.name, field.default]),
  };
}

function filled(value: unknown, defaults: OptionalFields['defaults']): unknown {
  const record = value as Record<string, unknown>;
  for (const [name, fallback] of defaults)
    if (record[name] === null) record[name] = structuredClone(fallback);
  return value;
}

function parseSchema(
  schema: Schema,
  dependencies: readonly Schema[],
  options: Partial<ForSchemaOptions> = {},
): Type {
  const all = { ...options, registry: { ...options.registry } };
  for (const dependency of dependencies) avro.Type.forSchema(dependency, all);
  return avro.Type.forSchema(schema, all);
}

function fingerprintOf(type: Type): Buffer {
  return fingerprint(JSON.stringify(type.schema()));
}
