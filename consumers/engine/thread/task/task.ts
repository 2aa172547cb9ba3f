import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ELEMENT_BYTES, elementCount, formatShape, type Datatype } from '../../../../schemas/datatypes.js';
import { PartituraError } from '../../../../schemas/errors.js';
import type { ModelSignature, TensorSpec } from '../../engine.js';
import type { Tensors } from '../messages.js';
import type { ThreadModel } from '../model.js';
import { dataOf, bytesOf, type TaskTensor } from './task-tensors.js';

export const TASK_FILE = 'task.mjs';

/** Tensors by name. */
export type TaskTensors = Readonly<Record<string, TaskTensor>>;

const datatypes = Object.keys(ELEMENT_BYTES) as [Datatype, ...Datatype[]];
const spec = z.object({
  name: z.string().min(1),
  datatype: z.enum(datatypes),
  /** -1 is an open dimension; empty for any shape. */
  shape: z.array(z.number().int().min(-1)).default([]),
});
const taskModule = z.object({
  inputs: z.array(spec),
  outputs: z.array(spec),
  run: z.custom<(inputs: TaskTensors) => unknown>(
    (value) => typeof value === 'function',
    'expected a function',
  ),
});

/**
 * Loads a task: a module that exports `inputs`, `outputs` and `run(inputs)`, which returns its outputs or a promise of them.
 * @throws PartituraError MODEL_FAILED naming the export that is wrong
 */
export async function loadTask(directory: string): Promise<ThreadModel> {
  const file = join(directory, TASK_FILE);
  const loaded: unknown = await import(pathToFileURL(file).href);
  const checked = taskModule.safeParse({ ...(loaded as object) });
  if (checked.success) return new Task(checked.data);
  const problems = checked.error.issues.map(({ path, message }) => `export ${path.join('.')}: ${message}`);
  throw new PartituraError('MODEL_FAILED', `${TASK_FILE}: ${problems.join('; ')}`);
}

class Task implements ThreadModel {
  readonly backend = 'javascript';
  readonly signature: ModelSignature;
  readonly #run: (inputs: TaskTensors) => unknown;

  constructor({ inputs, outputs, run }: z.output<typeof taskModule>) {
    this.signature = { inputs, outputs };
    this.#run = run;
  }

  async run({ shapes, buffers }: Tensors): Promise<Tensors> {
    const inputs: Record<string, TaskTensor> = {};
    this.signature.inputs.forEach(({ name, datatype }, index) => {
      const shape = shapes[index];
      const buffer = buffers[index];
      if (!shape || !buffer) throw new Error(`input '${name}' is missing`);
      inputs[name] = { shape, data: dataOf(datatype, buffer, shape) };
    });
    const returned: unknown = await this.#run(inputs);
    const outputs = this.signature.outputs.map((output) => checkOutput(output, returned));
    return {
      shapes: outputs.map(({ shape }) => shape),
      buffers: outputs.map((output, index) => bytesOf(this.signature.outputs[index] as TensorSpec, output)),
    };
  }

  dispose(): void {
    // Node keeps an imported module until the thread ends.
  }
}

const returnedTensor = z.object({
  shape: z.array(z.number().int().min(0)),
  data: z.custom<TaskTensor['data']>((value) => ArrayBuffer.isView(value) || Array.isArray(value)),
});

function checkOutput({ name }: TensorSpec, returned: unknown): TaskTensor {
  const value = (returned as Record<string, unknown> | null | undefined)?.[name];
  const checked = returnedTensor.safeParse(value);
  if (!checked.success)
    throw new PartituraError('MODEL_FAILED', `output '${name}': expected { shape, data }, got another value`);
  const { shape, data } = checked.data;
  if (data.length === elementCount(shape)) return checked.data;
  throw new PartituraError(
    'MODEL_FAILED',
    `output '${name}': expected ${elementCount(shape)} elements for shape ${formatShape(shape)}, got ${data.length}`,
  );
}
