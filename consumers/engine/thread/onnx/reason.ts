/** Before it, ONNX Runtime says which file failed; ours is known and its path is nobody else's business. */
const LOAD_PREFIX = /^(Load model from .*? failed:)?(Exception during initialization: )?/s;
/** Before it, which of the graph's nodes, after optimisations that its author does not know. */
const NODE_PREFIX = /^.*?Status Message: /s;
/** A line of its sources and the signature of a function, nested parentheses and template arguments and all. */
const SOURCE_PREFIX =
  /^\S*onnxruntime_src\S*:\d+ .*?\(.*?\)(?:::<lambda\(\)>)?(?: const)?(?: \[with .*?\])?:? /s;

/** What went wrong, without where in ONNX Runtime's own sources. */
export function onnxReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(LOAD_PREFIX, '').replace(NODE_PREFIX, '').replace(SOURCE_PREFIX, '').trim();
}
