import type { Command } from 'commander';
import { userInfo } from 'node:os';
import type { JobClient } from '../../../operations/jobs/job-client.js';
import type { ConfigOf } from '../../options.js';
import { print, printError, printJson } from '../../output.js';
import { addResultCommand } from './result.js';
import { addSubmitCommand } from './submit.js';
import { add, jobTable, statusOf, watch, withJobs, type JobFlags } from './with-jobs.js';

/** Adds `job submit|status|watch|cancel|result`. */
export function addJobCommands(program: Command, configOf: ConfigOf): void {
  const job = program.command('job').description('submit and follow jobs that are split over many nodes');
  addSubmitCommand(job, configOf);
  add(job, 'status [id]', 'show a job, or all jobs').action((id: string | undefined, flags: JobFlags) =>
    withJobs(configOf({ ...flags }), (client) => Promise.resolve(show(client, id, flags))),
  );
  add(job, 'watch <id>', 'show the progress of a job until it ends').action((id: string, flags: JobFlags) =>
    withJobs(configOf({ ...flags }), (client) => watch(client, id, flags)),
  );
  add(job, 'cancel <id>', 'cancel a job').action((id: string, flags: JobFlags) =>
    withJobs(configOf({ ...flags }), async (client) => {
      await client.cancel(id, userInfo().username);
      print(`cancelling ${id}`);
    }),
  );
  addResultCommand(job, configOf);
}

function show(client: JobClient, id: string | undefined, { json }: JobFlags): void {
  const jobs = id === undefined ? client.jobs.all() : [statusOf(client, id)];
  if (json) return printJson(id === undefined ? jobs : jobs[0]);
  if (jobs.length === 0) return printError('no jobs in the last seven days');
  print(jobTable(jobs));
}
