export * from './engine.js';
export { detectFormat } from './formats.js';
export { createEngine, type TensorFlowEngine } from './tensorflow-engine.js';
export type { BackendChoice, EngineOptions } from './options.js';
