import type { Binding } from '../binding.js';

/** A session that several signatures of one SavedModel share. */
export interface SavedModelSession {
  readonly id: number;
  /** Frees the session with the last of those that hold it. */
  release(): void;
}

interface Shared {
  readonly id: number;
  holders: number;
}

/** The sessions of one thread: each signature of a SavedModel is loaded as a model, and its weights are loaded once. */
export class SavedModelSessions {
  readonly #byModel = new Map<string, Shared>();

  /** @throws Error as the native library throws it */
  open(binding: Binding, directory: string, tags: string): SavedModelSession {
    const model = JSON.stringify([directory, tags]);
    const shared = this.#byModel.get(model) ?? { id: binding.loadSavedModel(directory, tags), holders: 0 };
    this.#byModel.set(model, shared);
    shared.holders++;
    return { id: shared.id, release: () => this.#release(binding, model, shared) };
  }

  #release(binding: Binding, model: string, shared: Shared): void {
    if (--shared.holders > 0) return;
    this.#byModel.delete(model);
    binding.deleteSavedModel(shared.id);
  }
}
