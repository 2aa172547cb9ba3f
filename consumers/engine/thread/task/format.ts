import type { FormatDefinition } from '../format.js';
import { loadTask, TASK_FILE } from './task.js';

/** A function of the operator's, run as it is: a part of a split job, for example. Only folders of tasks may hold one. */
export const task: FormatDefinition<undefined> = {
  title: 'task',
  file: TASK_FILE,
  isCode: true,
  loops: [],
  runtime: { packages: { javascript: 'node' }, start: () => undefined },
  load: (_runtime, { directory }) => loadTask(directory),
};
