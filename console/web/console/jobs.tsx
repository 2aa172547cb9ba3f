import type { JSX } from 'preact';
import type { JobView as Job } from '../../api/views.js';
import { formatCount, formatDateTime } from '../shared/format.js';
import { live, now } from '../shared/live.js';
import { Facts, State, Table, type Column } from '../shared/table.js';
import { Commands, jobCommands } from './control.js';
import { to } from './router.js';

/** Parts drawn one by one; of more, each cell stands for several. */
const MAX_CELLS = 1_200;

const COLUMNS: readonly Column<Job>[] = [
  { title: 'Job', cell: ({ id }) => <a href={to('jobs', id)}>{id}</a> },
  { title: 'Kind', cell: ({ kind }) => kind },
  { title: 'State', cell: ({ state }) => <State name={state} /> },
  { title: 'Progress', number: true, cell: (job) => <Progress job={job} /> },
  { title: 'Time', number: true, cell: (job) => formatSeconds(timeOf(job)) },
  { title: 'Time left', number: true, cell: (job) => formatLeft(job) },
  { title: 'Submitted', cell: ({ submittedAt }) => formatDateTime(submittedAt) },
];

/** Split jobs of the last week, the newest first. */
export function JobsView(): JSX.Element {
  const jobs = live.jobs.value && [...live.jobs.value].sort((a, b) => b.submittedAt - a.submittedAt);
  return (
    <Table
      caption="Jobs"
      columns={COLUMNS}
      rows={jobs}
      empty="No job was submitted in the last week."
      keyOf={({ id }) => id}
    />
  );
}

/** One job: its parts as they finish, and its end. */
export function JobView({ id }: { readonly id: string }): JSX.Element {
  const job = live.jobs.value?.find((one) => one.id === id);
  if (live.jobs.value === undefined) return <p class="waiting">Waiting for data…</p>;
  if (!job) return <p class="notice">No job of this id in the last week.</p>;
  return (
    <>
      {job.error && (
        <p class="notice">
          {job.error.code}: {job.error.message}
        </p>
      )}
      <Facts
        facts={[
          ['State', <State name={job.state} />],
          ['Kind', job.kind],
          [
            'Parts',
            `${formatCount(job.partsDone)} of ${job.parts === null ? 'an unknown number' : formatCount(job.parts)}`,
          ],
          ['Sent twice', formatCount(job.partsRepeated)],
          ['Time', formatSeconds(timeOf(job))],
          ['Time left', formatLeft(job) || '–'],
          ['Submitted', formatDateTime(job.submittedAt)],
          ['Result', job.output ?? job.replyTopic],
          ['Coordinator', job.coordinator],
        ]}
      />
      {job.finishedAt === null && <Commands commands={jobCommands(id)} />}
      <section>
        <h2>Parts</h2>
        <Parts job={job} />
      </section>
    </>
  );
}

function Progress({ job: { parts, partsDone } }: { readonly job: Job }): JSX.Element {
  if (parts === null) return <>{formatCount(partsDone)} parts</>;
  const share = parts === 0 ? 1 : partsDone / parts;
  return (
    <span class="load">
      <span class="gauge" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      {`${Math.floor(share * 100)} %`}
    </span>
  );
}

/** A cell for each part, or for several: done, failed or open. */
function Parts({ job }: { readonly job: Job }): JSX.Element {
  const done = doneOf(job);
  const failed = new Set(job.failedParts);
  const count = job.parts ?? done.length;
  const perCell = Math.max(1, Math.ceil(count / MAX_CELLS));
  const cells = Array.from({ length: Math.ceil(count / perCell) }, (_, cell) => {
    const parts = Array.from(
      { length: Math.min(perCell, count - cell * perCell) },
      (_, index) => cell * perCell + index,
    );
    if (parts.some((part) => failed.has(part))) return 'failed';
    const share = parts.filter((part) => done[part]).length / parts.length;
    return share === 1 ? 'done' : share > 0 ? 'partly' : '';
  });
  const legend = perCell === 1 ? 'one part each' : `${perCell} parts each`;
  return (
    <>
      <div class="parts" role="img" aria-label={`${job.partsDone} of ${count} parts are done`}>
        {cells.map((tone, index) => (
          <span key={index} class={tone} />
        ))}
      </div>
      <p class="muted">
        {formatCount(cells.length)} cells, {legend}
      </p>
    </>
  );
}

/** Returns which parts are done. */
function doneOf({ doneRanges }: Job): boolean[] {
  const done: boolean[] = [];
  for (const range of doneRanges.split(',').filter((one) => one !== '')) {
    const [from = 0, last = from] = range.split('-').map(Number);
    for (let part = from; part <= last; part++) done[part] = true;
  }
  return done;
}

function timeOf({ startedAt, finishedAt, updatedAt }: Job): number {
  return startedAt === 0 ? 0 : (finishedAt ?? Math.max(updatedAt, now.value)) - startedAt;
}

/** Returns the time that the open parts take if they take as long as those that are done; empty if that is not known. */
function formatLeft({ state, parts, partsDone, startedAt, updatedAt }: Job): string {
  if (state !== 'RUNNING' || parts === null || partsDone === 0) return '';
  return `about ${formatSeconds(((updatedAt - startedAt) / partsDone) * (parts - partsDone))}`;
}

function formatSeconds(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}
