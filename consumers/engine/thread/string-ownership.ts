import type { Binding } from './binding.js';
import { execute } from './binding.js';
import { DT_STRING } from './tensorflow/saved-model-types.js';

// Longer than the strings that TensorFlow keeps inside the tensor itself.
const PROBE = Buffer.from('a text that is too long to be stored inline');

/**
 * tfjs-node as published frees the characters of every string tensor that is deleted, even when the model
 * shares them: a table of labels inside the model reads as empty strings from the second run on, without an
 * error. The set-up compiles an addon that frees only what JavaScript made; this tells which one is loaded.
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
