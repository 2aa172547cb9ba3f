import { invalidRequest } from '../../schemas/errors.js';

/**
 * Address of a deferred reply: its partition of the reply topic, the offset at which that partition ended when the
 * request was sent, and the correlation id. With it, any gateway finds the reply, without state of its own.
 */
export interface DeferredId {
  readonly partition: number;
  readonly from: number;
  readonly correlation: string;
}

/** Form of the text of an id. */
export const DEFERRED_ID = /^(\d{1,5})-(\d{1,15})-([0-9a-f-]{36})$/;

/** Writes the id that callers see. */
export function formatDeferredId({ partition, from, correlation }: DeferredId): string {
  return `${partition}-${from}-${correlation}`;
}

/** Inverse of `formatDeferredId`. @throws PartituraError INVALID_REQUEST */
export function parseDeferredId(text: string): DeferredId {
  const [, partition, from, correlation] = DEFERRED_ID.exec(text) ?? [];
  if (partition !== undefined && from !== undefined && correlation !== undefined)
    return { partition: Number(partition), from: Number(from), correlation };
  throw invalidRequest(`deferred request: expected an id from a Location header, got '${text}'`);
}
