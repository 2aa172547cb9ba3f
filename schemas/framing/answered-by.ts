import type { InferenceReply, Timing } from '../generated.js';
import { headerText, type RecordHeaders } from './framing.js';

/** Headers for the fields of Avro replies that JSON bodies have no place for: node and timing. */
const NODE = 'partitura-node';
const QUEUE = 'partitura-queue-micros';
const COMPUTE = 'partitura-compute-micros';
const BATCH = 'partitura-batch-rows';

export type AnsweredBy = Pick<InferenceReply, 'node' | 'timing'>;

export function answeredBy({ node, timing }: AnsweredBy): Record<string, string> {
  return {
    ...(node !== null && { [NODE]: node }),
    ...(timing && {
      [QUEUE]: String(timing.queueMicros),
      [COMPUTE]: String(timing.computeMicros),
      [BATCH]: String(timing.batchSize),
    }),
  };
}

/** Inverse of `answeredBy`. */
export function readAnsweredBy(headers: RecordHeaders): AnsweredBy {
  return { node: headerText(headers, NODE) ?? null, timing: readTiming(headers) };
}

function readTiming(headers: RecordHeaders): Timing | null {
  const [queueMicros = NaN, computeMicros = NaN, batchSize = NaN] = [QUEUE, COMPUTE, BATCH].map((name) =>
    Number(headerText(headers, name) ?? NaN),
  );
  const isThere = [queueMicros, computeMicros, batchSize].every(Number.isInteger);
  return isThere ? { queueMicros, computeMicros, batchSize } : null;
}
