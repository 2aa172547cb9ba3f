import { InvalidArgumentError } from 'commander';
import { z } from 'zod';
import type { LetterFilter } from '../../../core/dead-letters/filter.js';
import { PartituraError } from '../../../schemas/errors.js';

/** The filters as the command line has them, moments in milliseconds since the epoch. */
export interface FilterFlags {
  readonly reason?: string;
  readonly stage?: string;
  readonly since?: number;
  readonly until?: number;
  readonly key?: string;
  readonly all: boolean;
}

/** @throws PartituraError INVALID_REQUEST when nothing could match */
export function filterOf({ reason, stage, since, until, key, all }: FilterFlags): LetterFilter {
  if (since !== undefined && until !== undefined && since >= until)
    throw new PartituraError(
      'INVALID_REQUEST',
      `--since: expected a time before --until (${new Date(until).toISOString()}), got ${new Date(since).toISOString()}`,
    );
  return { reason, stage, since, until, all, keys: key === undefined ? undefined : keysOf(key) };
}

/** The key as text, and as hexadecimal digits where lists show it so. */
function keysOf(key: string): Buffer[] {
  const text = Buffer.from(key);
  const [, digits] = /^0x((?:[0-9a-f]{2})*)$/i.exec(key) ?? [];
  return digits === undefined ? [text] : [text, Buffer.from(digits, 'hex')];
}

const UNITS = { s: 1_000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const;
const date = z.iso.date();
const dateTime = z.iso.datetime({ offset: true, local: true });

/** A moment: an ISO date or time, in UTC where it names no zone, or an age. @throws InvalidArgumentError */
export function moment(now: () => number): (text: string) => number {
  return (text) => {
    const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    const found =
      amount === undefined ? isoTime(text) : now() - Number(amount) * UNITS[unit as keyof typeof UNITS];
    if (found !== undefined && found >= 0) return found;
    throw new InvalidArgumentError(
      'Expected an ISO time like 2026-01-31T12:00:00Z, or an age like 90s, 15m, 2h or 3d.',
    );
  };
}

function isoTime(text: string): number | undefined {
  if (date.safeParse(text).success) return Date.parse(text);
  if (!dateTime.safeParse(text).success) return undefined;
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
}
