export * from './engine.js';
export { detectFormat } from './formats.js';
export { createEngine } from './threaded-engine.js';
export type { BackendChoice, EngineOptions } from './options.js';
