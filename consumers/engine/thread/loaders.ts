import type { CallGuard } from '../call-guard.js';
import type { BackendChoice } from '../options.js';
import type { ModelFormat } from '../engine.js';
import type { EngineRequest } from './messages.js';
import type { ThreadModel } from './model.js';
import { loadOnnxModel } from './onnx/model.js';
import { SavedModelSessions } from './tensorflow/saved-model-sessions.js';
import { loadSavedModel } from './tensorflow/saved-model.js';
import { startTensorFlowRuntime, type TensorFlowRuntime } from './tensorflow/runtime.js';
import { loadGraphModel, loadLayersModel } from './tensorflow/tensorflowjs-model.js';

/** A table, so that the compiler asks for each new format. */
const NEEDS_TENSORFLOW: Readonly<Record<ModelFormat, boolean>> = {
  onnx: false,
  saved_model: true,
  graph_model: true,
  layers_model: true,
};

/**
 * Loads models by format. A runtime starts with the first model that needs it, so a node with ONNX models only never loads
 * TensorFlow.
 */
export class Loaders {
  #tensorFlow: Promise<TensorFlowRuntime> | undefined;
  readonly #savedModels = new SavedModelSessions();

  constructor(
    readonly backend: BackendChoice,
    readonly guard: CallGuard,
  ) {}

  /** Starts the runtime of a format unless it is already running. @throws Error of the runtime */
  async start(format: ModelFormat): Promise<void> {
    if (NEEDS_TENSORFLOW[format]) await this.#startedTensorFlow();
  }

  /** @throws PartituraError MODEL_FAILED with a remedy if the model cannot be served; Error of the runtime */
  async load({
    format,
    directory,
    cores,
    signature,
  }: Extract<EngineRequest, { kind: 'load' }>): Promise<ThreadModel> {
    switch (format) {
      case 'onnx':
        return loadOnnxModel(directory, cores, this.guard);
      case 'saved_model':
        return loadSavedModel(await this.#startedTensorFlow(), this.#savedModels, directory, signature);
      case 'graph_model':
        return loadGraphModel(await this.#startedTensorFlow(), directory);
      case 'layers_model':
        return loadLayersModel(await this.#startedTensorFlow(), directory);
    }
  }

  #startedTensorFlow(): Promise<TensorFlowRuntime> {
    this.#tensorFlow ??= startTensorFlowRuntime(this.backend);
    return this.#tensorFlow;
  }
}
