const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const PRECISE = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export function formatCount(value: number): string {
  return NUMBER.format(value);
}

/** Formats with three significant digits. */
export function formatNumber(value: number): string {
  return Math.abs(value) >= 1_000 ? NUMBER.format(value) : PRECISE.format(value);
}

export function formatMs(ms: number): string {
  return ms >= 10_000 ? `${formatNumber(ms / 1_000)} s` : `${formatNumber(ms)} ms`;
}

export function formatMicros(micros: number): string {
  return micros >= 1_000 ? `${formatNumber(micros / 1_000)} ms` : `${formatNumber(micros)} µs`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${formatNumber(bytes / 1_000 ** power)} ${units[power - 1] ?? ''}`;
}

/** Formats a time of day. */
export function formatTime(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

/** Formats a time of day with milliseconds. */
export function formatClock(at: number): string {
  return `${formatTime(at)}.${String(Math.floor(at) % 1_000).padStart(3, '0')}`;
}

/** Formats date and time, ISO-like, in local time. */
export function formatDateTime(at: number): string {
  const date = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return date.toISOString().replace('T', ' ').slice(0, 19);
}

/** Formats the time since then, in the largest fitting unit. */
export function formatAge(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1_000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : `[${shape.map((size) => (size < 0 ? '?' : size)).join(', ')}]`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** Formats an expected wait, which is an estimate. */
export function formatWait(ms: number): string {
  return ms < 1 ? 'below 1 ms' : formatMs(ms);
}
