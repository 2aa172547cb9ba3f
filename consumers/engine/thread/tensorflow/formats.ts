import type { FormatDefinition, RuntimeDefinition } from '../format.js';
import { startTensorFlowRuntime, type TensorFlowRuntime } from './runtime.js';
import { SavedModelSessions } from './saved-model-sessions.js';
import { loadSavedModel } from './saved-model.js';
import { tensorFlowJsKind } from './tensorflowjs-kind.js';
import { loadGraphModel, loadLayersModel } from './tensorflowjs-model.js';

/** TensorFlow in one thread, with the sessions that the signatures of a SavedModel share. */
interface TensorFlowThread {
  readonly tensorFlow: TensorFlowRuntime;
  readonly sessions: SavedModelSessions;
}

const runtime: RuntimeDefinition<TensorFlowThread> = {
  packages: { tensorflow: '@tensorflow/tfjs-node', wasm: '@tensorflow/tfjs-backend-wasm' },
  start: async ({ backend }) => ({
    tensorFlow: await startTensorFlowRuntime(backend),
    sessions: new SavedModelSessions(),
  }),
};

const loops = ['While', 'LoopCond', 'NextIteration'];

export const savedModel: FormatDefinition<TensorFlowThread> = {
  title: 'SavedModel',
  file: 'saved_model.pb',
  loops,
  runtime,
  load: ({ tensorFlow, sessions }, { directory, signature }) =>
    loadSavedModel(tensorFlow, sessions, directory, signature),
};

const tensorFlowJs = {
  title: 'TensorFlow.js graph or layers model',
  file: 'model.json',
  loops,
  runtime,
};

export const graphModel: FormatDefinition<TensorFlowThread> = {
  ...tensorFlowJs,
  isIn: async (path) => (await tensorFlowJsKind(path)) === 'graph-model',
  load: ({ tensorFlow }, { directory }) => loadGraphModel(tensorFlow, directory),
};

export const layersModel: FormatDefinition<TensorFlowThread> = {
  ...tensorFlowJs,
  isIn: async (path) => (await tensorFlowJsKind(path)) === 'layers-model',
  load: ({ tensorFlow }, { directory }) => loadLayersModel(tensorFlow, directory),
};
