import type { Schema } from 'avsc';
import { REPLY_DEPENDENCIES, REQUEST_DEPENDENCIES } from '../codecs.js';
import { InferenceReplySchema, InferenceRequestSchema } from '../generated.js';

/** Attributes of a schema that contain schemas. */
const HOLDERS = ['type', 'items', 'values', 'fields'] as const;

interface Named {
  readonly name: string;
  readonly namespace: string;
}

/** Inlines each referenced type at its first use, as Avro requires in a single document. */
export function selfContained(schema: Schema, dependencies: readonly Schema[]): Schema {
  const definitions = new Map(dependencies.map((definition) => [fullName(definition), definition]));
  const inlined = (part: unknown): unknown => {
    if (typeof part === 'string') return define(part);
    if (Array.isArray(part)) return part.map(inlined);
    const parts = part as Record<string, unknown>;
    const held = HOLDERS.filter((name) => name in parts).map((name) => [name, inlined(parts[name])]);
    return { ...parts, ...Object.fromEntries(held) };
  };
  const define = (name: string): unknown => {
    const definition = definitions.get(name);
    definitions.delete(name);
    return definition ? inlined(definition) : name;
  };
  return inlined(schema) as Schema;
}

function fullName(schema: Schema): string {
  const { namespace, name } = schema as unknown as Named;
  return `${namespace}.${name}`;
}

export const REQUEST_SCHEMA = selfContained(
  InferenceRequestSchema as unknown as Schema,
  REQUEST_DEPENDENCIES,
);
export const REPLY_SCHEMA = selfContained(InferenceReplySchema as unknown as Schema, REPLY_DEPENDENCIES);
