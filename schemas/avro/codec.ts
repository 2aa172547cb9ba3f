import avro, { type ForSchemaOptions, type Schema, type Type } from 'avsc';
import { boundArrays } from './bounded-arrays.js';
import { fingerprint } from './fingerprint.js';
import { resolveBySpecification } from './resolution.js';
import { BoundedTap } from './tap.js';
import { readableSchema } from './writer-schema.js';

boundArrays();
resolveBySpecification();

/** A compiled type or resolver of avsc; its public methods use a reader that copies and is unbounded. */
interface Readable {
  _read(tap: BoundedTap): unknown;
}

const SLAB_BYTES = 64 * 1024;

/**
 * Encodes and decodes one record type. `dependencies` lists the schemas that it references, in order of definition.
 * `bytes` fields of a decoded value are views into the decoded buffer and valid as long as it is unchanged.
 */
export class AvroCodec<T> {
  readonly fingerprint: Buffer;
  /** The schema in canonical form, sufficient for readers of another version. */
  readonly canonicalSchema: string;
  readonly #type: Type;
  readonly #optional: OptionalFields;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #used = 0;

  /** @param options schema options of avsc; for external schemas, see `EXTERNAL_SCHEMA_OPTIONS` */
  constructor(schema: Schema, dependencies: readonly Schema[] = [], options?: Partial<ForSchemaOptions>) {
    this.#type = parseSchema(schema, dependencies, options);
    this.#optional = optionalFields(schema, dependencies, options);
    this.fingerprint = fingerprintOf(this.#type);
    this.canonicalSchema = JSON.stringify(this.#type.schema());
  }

  /**
   * Encodes a value after `prefix`, in one buffer.
   * @throws Error that names the field if the value does not match the schema
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

  /** Starts a new slab; encoded records are views into the old one, which must stay unchanged. */
  #renew(bytes: number): void {
    this.#slab = Buffer.allocUnsafeSlow(Math.max(bytes, SLAB_BYTES));
    this.#used = 0;
  }

  /**
   * Decodes the value that starts at `offset` and fills the rest of `buffer`.
   * @throws RangeError if the data is truncated or continues after the value
   */
  decode(buffer: Buffer, offset = 0, reader?: AvroReader<T>): T {
    const tap = new BoundedTap(buffer, offset);
    const source = reader ? reader.readable : (this.#type as unknown as Readable);
    const value = source._read(tap) as T;
    if (tap.pos !== buffer.length) {
      throw new RangeError(
        `Avro data continues after the record: ${buffer.length - tap.pos} bytes left over`,
      );
    }
    return value;
  }

  /**
   * Creates a reader for data written with another version of the schema. Where a writer's field is nullable and ours
   * has a default, null is read as the default: many writers make every optional field nullable.
   * @throws Error if the writer's schema cannot be resolved to this one
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
  /** Ties the reader to its codec's type at compile time. */
  readonly value?: T;
}

/** Fields with a non-null default, which writers may send as null. */
interface OptionalFields {
  /** Reader type that also accepts null for each of them. */
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
