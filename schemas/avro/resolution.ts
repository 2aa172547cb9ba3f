import avro, { type Type } from 'avsc';
import type { BoundedTap } from './tap.js';

interface Resolver {
  _read(tap: BoundedTap): unknown;
}
type CreateResolver = (this: Type, writer: Type, options?: object) => Resolver;

const BY_UNQUALIFIED_NAME = { ignoreNamespaces: true };
const { prototype } = avro.Type;
const createResolver = Object.getOwnPropertyDescriptor(prototype, 'createResolver')?.value as CreateResolver;

/**
 * Resolves a writer's union branch by branch: an unreadable branch is an error only for values of that branch. avsc
 * rejects the whole schema.
 */
function resolve(this: Type, writer: Type, options: object = { ...BY_UNQUALIFIED_NAME }): Resolver {
  if (avro.Type.isType(writer, 'union')) return resolveUnion(this, writer, options);
  // avsc compares only names, and a type without a name matches every name.
  if (avro.Type.isType(this, 'record') !== avro.Type.isType(writer, 'record', 'error') && !isEither(this))
    throw unreadable(writer, this);
  return createResolver.call(this, writer, options);
}

/** Returns true if a reader's type wraps others, which are resolved individually. */
function isEither(reader: Type): boolean {
  return avro.Type.isType(reader, 'union', 'logical', 'error');
}

function resolveUnion(reader: Type, writer: Type, options: object): Resolver {
  const { types } = writer as avro.types.UnwrappedUnionType;
  const branches = types.map((branch) => resolveBranch(reader, branch, options));
  const [first] = branches;
  if (first instanceof Error && branches.every((branch) => branch instanceof Error)) throw first;
  return {
    _read(tap) {
      const index = tap.readLong();
      const branch = branches[index];
      if (branch === undefined)
        throw new Error(`expected a branch of a union of ${branches.length}, got ${index}`);
      if (branch instanceof Error) throw branch;
      return branch._read(tap);
    },
  };
}

function resolveBranch(reader: Type, branch: Type, options: object): Resolver | Error {
  try {
    return resolve.call(reader, branch, options);
  } catch (error) {
    return error as Error;
  }
}

function unreadable(writer: Type, reader: Type): Error {
  return new Error(`cannot read ${JSON.stringify(writer.schema())} as ${reader.name ?? reader.typeName}`);
}

/** Patches all types to resolve by Avro's specification: unions by branch, names by their last part. */
export function resolveBySpecification(): void {
  Object.assign(prototype, { createResolver: resolve });
}
