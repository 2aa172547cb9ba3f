import { map } from './map.js';
import type { JobKind } from './kind.js';
import { matmul, matvec } from './multiply.js';
import { reduce } from './reduce.js';
import { scan } from './scan.js';
import { taskKind } from './task.js';

/** The kinds of jobs that come with Partitura; each other name is that of an operator's task. */
export const KINDS: readonly JobKind[] = [map, reduce, scan, matvec, matmul];

/** Finds the kind of a job. */
export function kindNamed(name: string): JobKind {
  return KINDS.find((kind) => kind.name === name) ?? taskKind(name);
}
