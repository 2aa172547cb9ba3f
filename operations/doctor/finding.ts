import { KafkaError } from '../../kafka/port.js';

/** Severity: `unknown` if the cluster does not disclose the fact. */
export type Level = 'ok' | 'warning' | 'problem' | 'unknown';

/** Result of a check, and how to fix it. */
export interface Finding {
  readonly area: string;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
}

export const ok = (area: string, message: string): Finding => ({ area, level: 'ok', message, fix: null });

export const warning = (area: string, message: string, fix: string): Finding => ({
  area,
  level: 'warning',
  message,
  fix,
});

export const problem = (area: string, message: string, fix: string): Finding => ({
  area,
  level: 'problem',
  message,
  fix,
});

export const unknown = (area: string, message: string, fix: string): Finding => ({
  area,
  level: 'unknown',
  message,
  fix,
});

/**
 * Reports a failed query as unknown.
 * @param rights that the query needs
 */
export function unavailable(area: string, what: string, error: Error, rights: string): Finding {
  return unknown(area, `${what}: not available: ${error.message}`, fixFor(error, rights));
}

/** Returns the fix for a failed query. */
function fixFor(error: Error, rights: string): string {
  const kind = error instanceof KafkaError ? error.kind : 'other';
  if (kind === 'not-authorized') return `allow ${rights} to the user that runs the doctor`;
  if (kind === 'unavailable') return 'start the brokers that are down and retry';
  if (kind === 'unknown-topic') return 'the topic is missing: start a node, which creates it';
  return 'check the broker logs, and that their release is supported';
}

/** Returns the findings, or one `ok` for all if there are none. */
export function orOk(findings: readonly Finding[], area: string, message: string): readonly Finding[] {
  return findings.length > 0 ? findings : [ok(area, message)];
}

/** Returns the command that changes a setting of a topic. */
export function setTopic(topic: string, setting: string): string {
  return `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;
}

/** Formats a count with its noun: `3 records`, `1 record`. */
export function counted(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
}

/** Formats milliseconds in the largest suitable unit. */
export function duration(ms: number): string {
  for (const [unit, length] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const)
    if (Math.abs(ms) >= length) return `${Number((ms / length).toFixed(1))} ${unit}`;
  return `${Math.round(ms)} ms`;
}
