import type { Binding } from './binding.js';
import { execute } from './binding.js';
import { DT_STRING } from './tensorflow/saved-model-types.js';

// Longer than strings that TensorFlow stores inline in the tensor.
const PROBE = Buffer.from('a text that is too long to be stored inline');

/**
 * True if the loaded addon is tfjs-node as published, which frees the characters of every deleted string tensor, even if the
 * model shares them: a label table inside the model then silently reads as empty strings from the second run on. The
 * setup compiles an addon that frees only strings created by JavaScript.
 */
export function deletesForeignStrings(binding: Binding): boolean {
  const original = binding.createTensor([1], DT_STRING, [PROBE]);
  const shared = execute(binding, 'Identity', original, [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: DT_STRING },
  ]);
  binding.deleteTensor(shared);
  const [text] = binding.tensorDataSync(original) as Uint8Array[];
  binding.deleteTensor(original);
  return text?.length !== PROBE.length;
}
