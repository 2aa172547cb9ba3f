import { z } from 'zod';
import { ENGINE } from '../../core/config/engine.js';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { isModelName } from '../../schemas/model-name.js';
import { parseState, stateRecord } from '../state-records.js';

/**
 * Desired state of the cluster on the compacted control topic, in JSON. Every node follows it, so a directive also reaches
 * nodes that start later. Each aspect of a model has a key of its own (`model/<name>/labels`), so that programs that change
 * different aspects at the same time do not overwrite each other; a record at `model/<name>` may hold several. A node has
 * one key, `node/<id>`. A tombstone withdraws what its key holds.
 */

const asked = {
  /** Person or program that asked. */
  requestedBy: z.string().default('unknown'),
  /** Milliseconds since the epoch. */
  requestedAt: z.number().default(0),
};
const modelRecordValue = z.object({
  ...asked,
  /** False to unload the model on all nodes. */
  loaded: z.boolean().optional(),
  /** Overrides the nodes' own version policy. */
  versionPolicy: ENGINE.versionPolicy.check.nullable().optional(),
  /** Versions by label. */
  labels: z.record(z.string().min(1), z.string().regex(/^\d{1,15}$/)).optional(),
});
const nodeDirective = z.object({
  ...asked,
  /** True to unload all models of the node and give its partitions to others. */
  drained: z.boolean().default(false),
});

type ModelRecordValue = z.output<typeof modelRecordValue>;
/** Desired state of a model. */
export type ModelDirective = {
  readonly [Name in keyof ModelRecordValue]-?: Exclude<ModelRecordValue[Name], undefined>;
};
export type NodeDirective = z.output<typeof nodeDirective>;
/** Aspects of a model that are to change. */
export type ModelChange = Partial<Pick<ModelDirective, 'loaded' | 'versionPolicy' | 'labels'>>;
/** Person or program that asks, and when. */
export type Asked = Pick<ModelDirective, 'requestedBy' | 'requestedAt'>;

/** A directive as read, with the offset of its last record. */
export type Directive =
  | { readonly kind: 'model'; readonly name: string; readonly offset: number; readonly value: ModelDirective }
  | { readonly kind: 'node'; readonly name: string; readonly offset: number; readonly value: NodeDirective };

export const NO_MODEL_DIRECTIVE: ModelDirective = {
  requestedBy: 'unknown',
  requestedAt: 0,
  loaded: true,
  versionPolicy: null,
  labels: {},
};

const MODEL_KEY = 'model/';
const NODE_KEY = 'node/';
/** Last parts of the keys of a model. */
const ASPECT_KEYS = { loaded: 'loaded', versionPolicy: 'version-policy', labels: 'labels' } as const;
const MODEL_KEY_FORM = /^model\/([^/]+)(?:\/(?:loaded|version-policy|labels))?$/;

/** Creates the records of a change of a model: one for each aspect. */
export function modelRecords(topic: string, model: string, change: ModelChange, by: Asked): OutgoingRecord[] {
  const aspects = Object.keys(change) as (keyof ModelChange)[];
  return aspects.map((aspect) =>
    stateRecord(topic, `${MODEL_KEY}${model}/${ASPECT_KEYS[aspect]}`, { ...by, [aspect]: change[aspect] }),
  );
}

/** Creates the record of a node's directive. */
export function nodeRecord(topic: string, node: string, value: NodeDirective): OutgoingRecord {
  return stateRecord(topic, `${NODE_KEY}${node}`, value);
}

/**
 * Collects directives, in order of their last records; for each aspect of a model, the last record counts. Leaves out
 * tombstones, and what is no directive, since anybody may write to the topic.
 * @param records the last record of each key, in order of offsets
 */
export function collectDirectives(records: readonly KafkaRecord[]): Directive[] {
  const found = new Map<string, Directive>();
  for (const one of records) {
    const key = one.key?.toString('utf8') ?? '';
    const content = one.value === null ? undefined : parseState(one.value);
    if (content === undefined) continue;
    const directive = key.startsWith(NODE_KEY)
      ? readNode(key.slice(NODE_KEY.length), content, one.offset)
      : readModel(MODEL_KEY_FORM.exec(key)?.[1] ?? '', content, { offset: one.offset, found });
    if (!directive) continue;
    const id = `${directive.kind}/${directive.name}`;
    found.delete(id);
    found.set(id, directive);
  }
  return [...found.values()];
}

function readNode(name: string, content: unknown, offset: number): Directive | undefined {
  const { data } = nodeDirective.safeParse(content);
  return data && { kind: 'node', name, offset, value: data };
}

function readModel(
  name: string,
  content: unknown,
  { offset, found }: { readonly offset: number; readonly found: ReadonlyMap<string, Directive> },
): Directive | undefined {
  const { data } = modelRecordValue.safeParse(content);
  if (!data || !isModelName(name)) return undefined;
  const before = found.get(`model/${name}`);
  const known = before?.kind === 'model' ? before.value : NO_MODEL_DIRECTIVE;
  const { requestedBy, requestedAt } = data;
  const { loaded = known.loaded, versionPolicy = known.versionPolicy, labels = known.labels } = data;
  return {
    kind: 'model',
    name,
    offset,
    value: { requestedBy, requestedAt, loaded, versionPolicy, labels },
  };
}
