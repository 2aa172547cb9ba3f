import { readCancellation } from '../../cluster/cancellations.js';
import { oneLine, textOrHex } from '../../core/printable.js';
import type { KafkaRecord } from '../../kafka/port.js';
import { detectDialect } from '../../schemas/headers/reply-dialects.js';
import { detectFraming } from '../../schemas/framing/index.js';
import { isOf, type TraceMatch } from './search.js';
import { correlationOf, traceIdOf } from './request-id.js';

/** A step in the life of a request. */
export interface Step {
  /** Milliseconds since the epoch; for steps in a node computed back from its reply. */
  readonly at: number;
  readonly what: string;
  readonly where: string;
  readonly details: string;
}

const MAX_TEXT_BYTES = 64;
const MAX_MESSAGE_CHARACTERS = 200;

/** Returns all steps in order: records written, and the steps in nodes that replies report. */
export function timeline(found: readonly TraceMatch[]): Step[] {
  return found.flatMap((one) => [...inNode(one), written(one)]).sort((a, b) => a.at - b.at);
}

function written(found: TraceMatch): Step {
  const { role, record } = found;
  const { topic, partition, offset, timestamp } = record;
  return { at: timestamp, what: role, where: `${topic} ${partition}/${offset}`, details: detailsOf(found) };
}

function detailsOf({ role, record, request, reply, letter }: TraceMatch): string {
  const { key, value, headers } = record;
  const parts = [
    value === null ? 'no value' : `${value.length} bytes`,
    key && `key ${textOrHex(key, MAX_TEXT_BYTES)}`,
  ];
  if (role === 'request') {
    const framing = value ? detectFraming(value, headers) : undefined;
    const { topic: replyTopic } = detectDialect(headers).read(headers);
    parts.push(
      framing?.name ?? 'unknown framing',
      `${detectDialect(headers).name} headers`,
      request && request.id !== '' ? `id ${oneLine(request.id, MAX_TEXT_BYTES)}` : null,
      replyTopic === undefined ? null : `reply to ${oneLine(replyTopic, MAX_TEXT_BYTES)}`,
      request?.deadline && record.timestamp >= 0
        ? `deadline ${request.deadline - record.timestamp} ms later`
        : null,
    );
  }
  if (role === 'cancellation') parts.push('the caller is gone; not computed unless it had begun');
  if (reply?.error)
    parts.push(
      oneLine(
        `${reply.error.code ? `${reply.error.code}: ` : ''}${reply.error.message}`,
        MAX_MESSAGE_CHARACTERS,
      ),
    );
  if (letter)
    parts.push(
      oneLine(
        `${letter.reason ?? 'no reason'} (${letter.stage ?? 'no stage'}): ${letter.message ?? ''}`,
        MAX_MESSAGE_CHARACTERS,
      ),
    );
  return parts.filter((part) => part).join(', ');
}

/** Returns the steps in the node, assuming that the reply was written right after it was computed. */
function inNode({ reply, record }: TraceMatch): Step[] {
  if (!reply?.node) return [];
  const { node, timing, modelVersion } = reply;
  if (!timing) return [{ at: record.timestamp, what: 'answered', where: node, details: '' }];
  const { queueMicros, computeMicros, batchSize } = timing;
  const computed = record.timestamp - computeMicros / 1_000;
  return [
    { at: computed - queueMicros / 1_000, what: 'admitted', where: node, details: '' },
    {
      at: computed,
      what: 'computed',
      where: node,
      details: `after ${millis(queueMicros)} in the queue, for ${millis(computeMicros)} in a batch of ${batchSize}, by version ${modelVersion ?? 'unknown'}`,
    },
  ];
}

function millis(micros: number): string {
  return `${(micros / 1_000).toFixed(1)} ms`;
}

/** Returns requests and binding sources without an outcome. */
export function open(found: readonly TraceMatch[]): TraceMatch[] {
  const ends = found.filter(({ role }) => role !== 'request' && role !== 'source');
  return found.filter(
    (one) => (one.role === 'request' || one.role === 'source') && !ends.some((end) => ended(one, end)),
  );
}

function ended(request: TraceMatch, end: TraceMatch): boolean {
  if (end.role === 'cancellation') return cancels(end.record, request.record);
  if (end.letter) return isOf(end.letter, [request.record]);
  const correlation = correlationOf(request.record);
  if (correlation) return correlationOf(end.record)?.equals(correlation) ?? false;
  if (request.request && end.reply) return request.request.id === end.reply.id;
  return traceIdOf(request.record) === traceIdOf(end.record);
}

function cancels(cancellation: KafkaRecord, request: KafkaRecord): boolean {
  const correlation = correlationOf(request)?.toString('utf8');
  return correlation !== undefined && readCancellation(cancellation).includes(correlation);
}
