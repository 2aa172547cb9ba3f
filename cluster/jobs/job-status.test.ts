import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleRecord } from '../../testing/records.js';
import { cancelRecord, collectJobs, queuedStatus, statusRecord, type JobStatus } from './job-status.js';

const running = (id: string): JobStatus => ({ ...queuedStatus(id, 'scan', 1), state: 'RUNNING' });
const done = (id: string): JobStatus => ({ ...running(id), state: 'DONE', finishedAt: 2 });

test('the end of a job wins, also over a report that a coordinator sends after it', () => {
  const written = [
    statusRecord('t', done('a')),
    statusRecord('t', running('a')),
    statusRecord('t', running('b')),
  ];
  const { statuses } = collectJobs(written.map(({ key, value }) => exampleRecord({ key, value })));
  assert.deepEqual(
    [...statuses.values()].map(({ id, state }) => [id, state]),
    [
      ['a', 'DONE'],
      ['b', 'RUNNING'],
    ],
  );
});

test('orders to cancel are collected, and other records are ignored', () => {
  const order = cancelRecord('t', 'a', 'ada');
  const records = [order, { key: Buffer.from('c'), value: Buffer.from('{') }, { key: null, value: null }];
  const { statuses, cancelled } = collectJobs(records.map(({ key, value }) => exampleRecord({ key, value })));
  assert.deepEqual([[...statuses], [...cancelled]], [[], ['a']]);
});
