import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const PARENT = 1;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const RESIDENT_PAGES = 21;
const PAGE_BYTES = 4096;

/** Returns the processor seconds of a process, user and system; NaN without /proc. */
export function processorSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields?.[USER_TICKS]) + Number(fields?.[SYSTEM_TICKS])) / TICKS_PER_SECOND;
}

/** Returns the resident memory of a process in bytes; NaN without /proc. */
export function residentBytes(pid: number): number {
  return Number(statOf(pid)?.[RESIDENT_PAGES]) * PAGE_BYTES;
}

/** Finds a descendant of `ancestor` with this argument on its command line. */
export function findDescendant(ancestor: number, argument: string): number | undefined {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.find((pid) => commandLine(pid).includes(argument) && isBelow(pid, ancestor));
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = Number(statOf(at)?.[PARENT] ?? 0)) if (at === ancestor) return true;
  return false;
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Returns the fields of /proc/<pid>/stat after the name, which may contain spaces. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
