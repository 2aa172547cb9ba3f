import type { Command } from 'commander';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Config } from '../../../core/config/config.js';
import { readResult, requireResult } from '../../../operations/jobs/job-result.js';
import { invalidRequest } from '../../../schemas/errors.js';
import type { Tensor } from '../../../schemas/generated.js';
import { linesOf } from '../../../schemas/tensor-lines.js';
import { kafkaFor } from '../../kafka.js';
import type { ConfigOf } from '../../options.js';
import { add, statusOf, withJobs, type JobFlags } from './with-jobs.js';

interface ResultFlags extends JobFlags {
  readonly raw?: string;
  readonly file?: string;
}

/** Adds `job result`. */
export function addResultCommand(job: Command, configOf: ConfigOf): void {
  add(job, 'result <id>', 'print the result of a job: a JSON line for each row')
    .option('--file <file>', 'write to a file instead of standard output')
    .option('--raw <output>', 'write the bytes of one output, parts one after another, instead of JSON')
    .addHelpText('after', '\nExample:\n  partitura job result 7c3f… --file answers.ndjson')
    .action((id: string, flags: ResultFlags) => writeResult(configOf({ ...flags }), id, flags));
}

/** @throws PartituraError with the failure of the job, or INVALID_REQUEST while it runs */
async function writeResult(config: Config, id: string, { raw, file }: ResultFlags): Promise<void> {
  const status = await withJobs(config, (client) => Promise.resolve(statusOf(client, id)));
  requireResult(status);
  const target = file === undefined ? process.stdout : createWriteStream(file);
  await readResult(kafkaFor(config), config, status, async (outputs) => {
    const part = raw === undefined ? linesOf(outputs) : bytesOf(outputs, raw);
    if (!target.write(part)) await once(target, 'drain');
  });
  if (file !== undefined) await new Promise<void>((resolve) => target.end(resolve));
}

function bytesOf(outputs: readonly Tensor[], name: string): Buffer {
  const output = outputs.find((one) => one.name === name);
  if (output) return output.data;
  const known = outputs.map((one) => `'${one.name}'`).join(', ');
  throw invalidRequest(`--raw: expected one of ${known}, got '${name}'`);
}
