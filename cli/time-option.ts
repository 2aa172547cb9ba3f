import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

const LATEST_DATE_MS = 8.64e15;
const UNITS = { s: 1_000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const;
const date = z.iso.date();
const dateTime = z.iso.datetime({ offset: true, local: true });

/** Parses an ISO date or time, in UTC unless it names a zone, or an age. @throws InvalidArgumentError */
export function timeOption(now: () => number): (text: string) => number {
  return (text) => {
    const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    const found =
      amount === undefined ? isoTime(text) : now() - Number(amount) * UNITS[unit as keyof typeof UNITS];
    if (found !== undefined && found >= 0) return found;
    throw new InvalidArgumentError(
      'Expected an ISO time such as 2026-01-31T12:00:00Z, or an age such as 90s, 15m, 2h or 3d.',
    );
  };
}

function isoTime(text: string): number | undefined {
  if (date.safeParse(text).success) return Date.parse(text);
  if (!dateTime.safeParse(text).success) return undefined;
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
}

/** Formats a timestamp; producers may write any number, and Kafka uses -1 for none. */
export function formatTime(timestamp: number): string {
  if (timestamp < 0) return 'no time';
  return Math.abs(timestamp) <= LATEST_DATE_MS ? new Date(timestamp).toISOString() : String(timestamp);
}

/** Formats a timestamp for JSON; null if there is none. */
export function timeJson(timestamp: number): string | null {
  return timestamp < 0 ? null : formatTime(timestamp);
}
