import type { CallGuard } from '../call-guard.js';
import type { BackendChoice } from '../options.js';
import type { ThreadModel } from './model.js';

/** Choice of backend and guard of the thread in which a runtime starts. */
export interface ThreadParts {
  readonly backend: BackendChoice;
  readonly guard: CallGuard;
}

/** A library that computes models; `R` is its state in one thread. */
export interface RuntimeDefinition<R = unknown> {
  /** npm packages by the names of the runtime's backends, as statuses show them. */
  readonly packages: Readonly<Record<string, string>>;
  /** Called in a thread before its first model. @throws Error of the runtime */
  start(parts: ThreadParts): R | Promise<R>;
}

export interface LoadRequest {
  readonly directory: string;
  /** Cores that one operation may use. */
  readonly cores: number;
  readonly signature?: string | undefined;
}

/** A model format: how it is recognized, searched and loaded. `R` is the state of its runtime. */
export interface FormatDefinition<R = unknown> {
  /** Name in messages. */
  readonly title: string;
  /** File by which a version folder is recognized; it holds the graph. */
  readonly file: string;
  /** True for code of the operator's: found in folders of tasks only, never run before a request asks for it, never batched. */
  readonly isCode?: true;
  /** Distinguishes formats with the same file. @throws PartituraError MODEL_FAILED if it is of none of them */
  isIn?(path: string): Promise<boolean>;
  /** Operations whose number of iterations depends on the data. */
  readonly loops: readonly string[];
  /** Operations by which rows of a batch affect each other, although random requests may not reveal it. */
  readonly mixing?: { readonly operation: string; readonly reason: string };
  readonly runtime: RuntimeDefinition<R>;
  /** @throws PartituraError MODEL_FAILED with a remedy if the model cannot be served; Error of the runtime */
  load(runtime: R, request: LoadRequest): ThreadModel | Promise<ThreadModel>;
}
