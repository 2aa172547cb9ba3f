import type { Binding } from '../binding.js';

/** A session shared by the signatures of one SavedModel. */
export interface SavedModelSession {
  readonly id: number;
  /** Releases the session; the last holder frees it. */
  release(): void;
}

interface Shared {
  readonly id: number;
  holders: number;
}

/**
 * The sessions of one thread. Each signature of a SavedModel is loaded as a model of its own, but the weights only once.
 */
export class SavedModelSessions {
  readonly #byModel = new Map<string, Shared>();

  /** @throws Error of the native library */
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
