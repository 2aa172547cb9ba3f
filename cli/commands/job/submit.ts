import type { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../../core/config/config.js';
import { PartituraError, invalidRequest } from '../../../schemas/errors.js';
import { oipJson } from '../../../schemas/framing/index.js';
import type { Tensor } from '../../../schemas/generated.js';
import { JOBS } from '../../../cluster/topics.js';
import type { ConfigOf } from '../../options.js';
import { print, printJson } from '../../output.js';
import { add, watch, withJobs, type JobFlags } from './with-jobs.js';

interface SubmitFlags extends JobFlags {
  readonly id?: string;
  readonly set: readonly (readonly [string, string])[];
  readonly inputs?: string;
  readonly deadline?: string;
  readonly watch: boolean;
}

/** Adds `job submit`. */
export function addSubmitCommand(job: Command, configOf: ConfigOf): void {
  add(job, 'submit <kind>', 'submit a job: map, reduce, scan, matvec, matmul, or the name of a task')
    .option('--set <name=value>', 'a parameter of the kind; repeatable', pair, [])
    .option('--inputs <file>', 'inputs as an Open Inference Protocol body (JSON)')
    .option('--id <id>', 'id of the job; the same id is the same job (default: a generated one)')
    .option('--deadline <seconds>', 'give up after this time')
    .option('--watch', 'show its progress until it ends', false)
    .addHelpText(
      'after',
      `
Kinds and their parameters:
  map      model, input (.ndjson, .jsonl, .csv), block (rows of a part)
  reduce   operation (sum, product, max, min, matrix), values (.npy), block
  scan     operation, values, backward, exclusive, block
  matvec   matrix (.npy), other (.npy), by (rows, columns), block
  matmul   likewise
  a task   parts, and what the task reads
All take output (a file instead of the reply topic) and priority (bulk, or 0 to 9). Files are in the coordinator's --job-files.

Examples:
  partitura job submit map --set model=digits --set input=rows.ndjson --set output=answers.ndjson --watch
  partitura job submit scan --set operation=sum --set values=values.npy --set output=sums.npy`,
    )
    .action((kind: string, flags: SubmitFlags) => submit(configOf({ ...flags }), kind, flags));
}

function pair(text: string, all: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [...all, [name, value]];
  throw invalidRequest(`--set: expected name=value, got '${text}'`);
}

async function submit(config: Config, kind: string, flags: SubmitFlags): Promise<void> {
  const inputs = flags.inputs === undefined ? [] : await readInputs(flags.inputs);
  const seconds = flags.deadline === undefined ? undefined : Number(flags.deadline);
  if (seconds !== undefined && !(seconds > 0))
    throw invalidRequest(`--deadline: expected seconds, got '${flags.deadline}'`);
  await withJobs(config, async (client) => {
    const id = await client.submit({
      id: flags.id,
      kind,
      parameters: Object.fromEntries(flags.set),
      inputs,
      deadline: seconds === undefined ? null : Date.now() + seconds * 1_000,
    });
    if (flags.watch) return watch(client, id, flags);
    if (flags.json) printJson({ id });
    else print(id);
  });
}

async function readInputs(file: string): Promise<Tensor[]> {
  const body = await readFile(file).catch((cause: unknown) => {
    throw new PartituraError('INVALID_REQUEST', `--inputs: expected a readable file, got '${file}'`, {
      cause,
    });
  });
  return oipJson.decodeRequest(body, JOBS).inputs;
}
