import type { Schema } from 'avsc';

/**
 * External schemas, reduced to the parts needed for reading what they have written: types and the order of fields.
 * Defaults, aliases and documentation are irrelevant
 * (https://avro.apache.org/docs/1.12.0/specification/#schema-resolution), and names matter only where they are
 * compared. Java and Python accept schemas that avsc rejects: defaults that do not match their types, hyphens in
 * names, types named like primitive ones.
 */
const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);
const NAMED = new Set(['record', 'error', 'enum', 'fixed']);
const VALID_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Deeper than any meaningful schema; a registry stores whatever was registered. */
const MAX_DEPTH = 200;
/** Marks an enum with symbols that are invalid names for avsc. */
export const SYMBOLS = 'partitura-symbols';

/** A schema in the form of a JSON object. */
interface Definition {
  readonly type?: unknown;
  readonly name?: string;
  readonly namespace?: string | null;
  readonly fields?: readonly { readonly name: string; readonly type: unknown }[];
  readonly symbols?: readonly string[];
  readonly items?: unknown;
  readonly values?: unknown;
}

/** Returns the part of a writer's schema that reading needs. @throws Error if it is nested too deeply */
export function readableSchema(schema: Schema): Schema {
  return readable(schema, '', 0) as Schema;
}

function readable(schema: unknown, namespace: string, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new Error(`expected a schema nested at most ${MAX_DEPTH} deep, got more`);
  if (typeof schema === 'string')
    return PRIMITIVES.has(schema) ? schema : safeFullName(fullName(schema, namespace));
  if (Array.isArray(schema)) return schema.map((branch) => readable(branch, namespace, depth + 1));
  if (typeof schema !== 'object' || schema === null) return schema;
  return readableDefinition(schema, namespace, depth);
}

function readableDefinition(definition: Definition, enclosing: string, depth: number): unknown {
  const { type, name = '', fields, items, values, symbols } = definition;
  if (typeof type !== 'string') return readable(type, enclosing, depth + 1);
  if (!NAMED.has(type) && !PRIMITIVES.has(type) && type !== 'array' && type !== 'map')
    return readable(type, enclosing, depth + 1);
  const full = NAMED.has(type) ? fullNameOf(definition, enclosing) : '';
  const inner = (part: unknown): unknown => readable(part, full ? namespaceOf(full) : enclosing, depth + 1);
  const {
    default: _default,
    doc: _doc,
    aliases: _aliases,
    namespace: _namespace,
    ...rest
  } = definition as Record<string, unknown>;
  return {
    ...rest,
    ...(name && full && { name: safeFullName(full), namespace: '' }),
    ...(fields && {
      fields: fields.map((field) => ({ name: safeName(field.name), type: inner(field.type) })),
    }),
    ...(items !== undefined && { items: inner(items) }),
    ...(values !== undefined && { values: inner(values) }),
    ...(symbols && readableSymbols(symbols)),
  };
}

function readableSymbols(symbols: readonly string[]): object {
  if (symbols.every((symbol) => VALID_NAME.test(symbol))) return { symbols };
  return { symbols: symbols.map((_, index) => `S${index}`), logicalType: SYMBOLS, originals: symbols };
}

/** Returns the full name of a named type: https://avro.apache.org/docs/1.12.0/specification/#names */
export function fullNameOf({ name = '', namespace }: Definition, enclosing = ''): string {
  return fullName(name, namespace ?? enclosing);
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function namespaceOf(full: string): string {
  return full.slice(0, Math.max(0, full.lastIndexOf('.')));
}

function safeFullName(full: string): string {
  const parts = full.split('.').map(safeName);
  const last = parts.at(-1) ?? '';
  return [...parts.slice(0, -1), PRIMITIVES.has(last) ? `${last}_` : last].join('.');
}

/** Converts a name to one that avsc accepts by escaping invalid characters; valid names are unchanged. */
export function safeName(name: string): string {
  if (VALID_NAME.test(name)) return name;
  const spelled = name.replace(/[^A-Za-z0-9_]/gu, (odd) => `_x${odd.codePointAt(0)?.toString(16)}_`);
  return /^[0-9]/.test(spelled) ? `_${spelled}` : spelled || '_';
}

/** Returns true if a record is recursive, so that changing its definition would change the nested references, too. */
export function holdsItself(schema: Schema): boolean {
  const definition = schema as unknown as Definition;
  const own = fullNameOf(definition);
  const names = (part: unknown, namespace: string, depth: number): boolean => {
    if (depth > MAX_DEPTH) return false;
    if (typeof part === 'string') return !PRIMITIVES.has(part) && fullName(part, namespace) === own;
    if (Array.isArray(part)) return part.some((branch) => names(branch, namespace, depth + 1));
    if (typeof part !== 'object' || part === null) return false;
    return holds(part, namespace, depth);
  };
  const holds = (part: Definition, enclosing: string, depth: number): boolean => {
    const { type, fields = [], items, values } = part;
    const isNamed = typeof type === 'string' && NAMED.has(type);
    const isKeyword = isNamed || type === 'array' || type === 'map';
    const namespace = isNamed ? namespaceOf(fullNameOf(part, enclosing)) : enclosing;
    const held = [...(isKeyword ? [] : [type]), items, values, ...fields.map((field) => field.type)];
    return held.some((one) => names(one, namespace, depth + 1));
  };
  return holds(definition, '', 0);
}
