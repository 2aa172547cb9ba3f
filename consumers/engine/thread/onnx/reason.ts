/** Prefix naming the file that failed: callers must not see its path. */
const LOAD_PREFIX = /^(Load model from .*? failed:)?(Exception during initialization: )?/s;
/** Prefix naming the graph node, which after optimization means nothing to the model's author. */
const NODE_PREFIX = /^.*?Status Message: /s;
/** Source location and function signature, including nested parentheses and template arguments. */
const SOURCE_PREFIX =
  /^\S*onnxruntime_src\S*:\d+ .*?\(.*?\)(?:::<lambda\(\)>)?(?: const)?(?: \[with .*?\])?:? /s;

/** Extracts the reason from an ONNX Runtime error, without paths, graph nodes and source locations. */
export function onnxReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(LOAD_PREFIX, '').replace(NODE_PREFIX, '').replace(SOURCE_PREFIX, '').trim();
}
