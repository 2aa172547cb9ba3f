import { z } from 'zod';
import { ENGINE } from '../../core/config/engine.js';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { isModelName } from '../../schemas/model-name.js';

/**
 * Desired state of the cluster on the compacted control topic, in JSON: one record for each model or node that somebody
 * has given a directive, keyed `model/<name>` or `node/<id>`. Every node follows it, so a directive also reaches nodes
 * that start later. A tombstone withdraws a directive.
 */

const asked = {
  /** Person or program that asked. */
  requestedBy: z.string().default('unknown'),
  /** Milliseconds since the epoch. */
  requestedAt: z.number().default(0),
};
const modelDirective = z.object({
  ...asked,
  /** False to unload the model on all nodes. */
  loaded: z.boolean().default(true),
  /** Overrides the nodes' own version policy. */
  versionPolicy: ENGINE.versionPolicy.check.nullable().default(null),
  /** Versions by label. */
  labels: z.record(z.string().min(1), z.string().regex(/^\d{1,15}$/)).default({}),
});
const nodeDirective = z.object({
  ...asked,
  /** True to unload all models of the node and give its partitions to others. */
  drained: z.boolean().default(false),
});

export type ModelDirective = z.output<typeof modelDirective>;
export type NodeDirective = z.output<typeof nodeDirective>;

/** A directive as read, with the offset of its record. */
export type Directive =
  | { readonly kind: 'model'; readonly name: string; readonly offset: number; readonly value: ModelDirective }
  | { readonly kind: 'node'; readonly name: string; readonly offset: number; readonly value: NodeDirective };

export const NO_MODEL_DIRECTIVE: ModelDirective = modelDirective.parse({});

const MODEL_KEY = 'model/';
const NODE_KEY = 'node/';

/** Creates the record of a model's directive. */
export function modelRecord(topic: string, model: string, value: ModelDirective): OutgoingRecord {
  return record(topic, `${MODEL_KEY}${model}`, value);
}

/** Creates the record of a node's directive. */
export function nodeRecord(topic: string, node: string, value: NodeDirective): OutgoingRecord {
  return record(topic, `${NODE_KEY}${node}`, value);
}

function record(topic: string, key: string, value: object): OutgoingRecord {
  return {
    topic,
    partition: 0,
    key: Buffer.from(key),
    value: Buffer.from(JSON.stringify(value)),
    headers: {},
  };
}

/** Reads a record; undefined for a tombstone, and for what is no directive, since anybody may write to the topic. */
export function readDirective({ key, value, offset }: KafkaRecord): Directive | undefined {
  const text = key?.toString('utf8') ?? '';
  const content = value === null ? undefined : parsed(value);
  if (content === undefined) return undefined;
  if (text.startsWith(MODEL_KEY)) {
    const name = text.slice(MODEL_KEY.length);
    const { data } = modelDirective.safeParse(content);
    return data && isModelName(name) ? { kind: 'model', name, offset, value: data } : undefined;
  }
  if (!text.startsWith(NODE_KEY)) return undefined;
  const { data } = nodeDirective.safeParse(content);
  return data && { kind: 'node', name: text.slice(NODE_KEY.length), offset, value: data };
}

function parsed(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
