import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { io } from '@tensorflow/tfjs';
import type { TensorFlowRuntime } from './runtime.js';

/** Creates a handler that reads a model from its folder: TensorFlow.js itself only loads over HTTP. */
export function filesOf({ tf }: TensorFlowRuntime, directory: string): io.IOHandler {
  return {
    load: async () => {
      const json = JSON.parse(await readFile(join(directory, 'model.json'), 'utf8')) as io.ModelJSON;
      return tf.io.getModelArtifactsForJSON(json, async (manifest) => [
        tf.io.getWeightSpecs(manifest),
        await readWeights(directory, manifest),
      ]);
    },
  };
}

async function readWeights(directory: string, manifest: io.WeightsManifestConfig): Promise<ArrayBuffer> {
  const paths = manifest.flatMap((group) => group.paths);
  const shards = await Promise.all(paths.map((path) => readFile(join(directory, path))));
  const weights = new Uint8Array(shards.reduce((length, shard) => length + shard.length, 0));
  let position = 0;
  for (const shard of shards) {
    weights.set(shard, position);
    position += shard.length;
  }
  return weights.buffer;
}
