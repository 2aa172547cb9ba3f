import { KafkaError } from '../../kafka/port.js';

/** How bad it is: `unknown` where the cluster does not tell. */
export type Level = 'ok' | 'warning' | 'problem' | 'unknown';

/** What a check has found, and what to do about it. */
export interface Finding {
  readonly area: string;
  readonly level: Level;
  readonly message: string;
  readonly fix: string | null;
}

export const ok = (area: string, what: string): Finding => ({ area, level: 'ok', message: what, fix: null });

export const warning = (area: string, what: string, fix: string): Finding => ({
  area,
  level: 'warning',
  message: what,
  fix,
});

export const problem = (area: string, what: string, fix: string): Finding => ({
  area,
  level: 'problem',
  message: what,
  fix,
});

export const unknown = (area: string, what: string, fix: string): Finding => ({
  area,
  level: 'unknown',
  message: what,
  fix,
});

/**
 * What could not be looked at.
 * @param rights that the look takes
 */
export function unavailable(area: string, what: string, error: Error, rights: string): Finding {
  return unknown(area, `${what} can't be seen: ${error.message}`, wayTo(error, rights));
}

/** Why a look failed decides what is to be done. */
function wayTo(error: Error, rights: string): string {
  const kind = error instanceof KafkaError ? error.kind : 'other';
  if (kind === 'not-authorized') return `allow ${rights} to whoever runs the doctor`;
  if (kind === 'unavailable') return 'start the brokers that are down, and look again';
  if (kind === 'unknown-topic') return 'the topic is missing: start a node, which creates it';
  return 'look at the log of the brokers, and whether their release is among those that are supported';
}

/** The good of many things in one line: only what is not good is told one by one. */
export function orOk(findings: readonly Finding[], area: string, what: string): readonly Finding[] {
  return findings.length > 0 ? findings : [ok(area, what)];
}

/** A command that changes a setting of a topic. */
export function setTopic(topic: string, setting: string): string {
  return `kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config ${setting}`;
}

/** `3 records`, `1 record`. */
export function counted(count: number, one: string): string {
  return `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
}

/** Milliseconds in the largest unit that leaves a readable number. */
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
