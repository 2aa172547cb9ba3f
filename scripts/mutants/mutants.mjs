// Mutants that break the promises, at least one for each. Tests must fail on every one.

/**
 * @typedef {object} Mutant
 * @property {number} promise its number in README
 * @property {string} description of the defect
 * @property {[file: string, from: string, to: string][]} edits each `from` occurs exactly once in its file
 * @property {string[]} tests test files, at least one of which must fail
 */

const RECORD_CONSUMER_TESTS = ['record-consumer', 'crashed-owner', 'schema-barrier'].map(
  (name) => `consumers/records/${name}.test.ts`,
);

const QUEUE_CONSUMER_TESTS = ['consumers/records/queue-consumer.test.ts'];

/** @type {Mutant[]} */
export const MUTANTS = [
  {
    promise: 1,
    breaks: 'an offset is committed before the outcome is acknowledged',
    edits: [
      [
        'consumers/records/record-flow.ts',
        'this.handler.publish(outcome, ended, lease);',
        'ended();\n    this.handler.publish(outcome, () => undefined, lease);',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 1,
    breaks: 'a rejected reply is dropped',
    edits: [
      [
        'consumers/requests/replies/publisher.ts',
        "this.#sendDeadLetter(publication, { record, stage: 'reply', error: replyRefused(topic, error) });",
        'void [record, replyRefused];\n    publication.acknowledged();',
      ],
    ],
    tests: ['consumers/requests/replies/publisher.test.ts'],
  },
  {
    promise: 1,
    breaks: 'kafkajs drops records after a leader change',
    edits: [['kafka/kafkajs/producer.ts', 'if (unsent.length === 0) return;', 'return;']],
    tests: ['kafka/kafkajs/records.test.ts'],
  },
  {
    promise: 2,
    breaks: 'every request of a batch gets the rows of the first',
    edits: [['consumers/batching/batch.ts', 'start += slice.rows;', 'start += 0;']],
    tests: ['consumers/batching/answers.test.ts'],
  },
  {
    promise: 2,
    breaks: 'a bad row fails the other requests of its batch',
    edits: [
      [
        'consumers/batching/batch-runner.ts',
        'if (first && slices.length === 1) return failSlice(first, error);',
        'if (first) return slices.forEach((slice) => failSlice(slice, error));',
      ],
    ],
    tests: ['consumers/batching/failed-batches.test.ts'],
  },
  {
    promise: 3,
    breaks: 'a deadline that expired before the record was read is ignored',
    edits: [
      [
        'consumers/requests/admission.ts',
        'const leftMs = deadline - this.options.now();',
        'const leftMs = deadline - this.options.now() + Infinity;',
      ],
    ],
    tests: ['consumers/requests/admission.test.ts'],
  },
  {
    promise: 3,
    breaks: 'a deadline that expired before the batch closed is ignored',
    edits: [
      [
        'consumers/batching/batcher.ts',
        'if (job.deadline === null || this.clock.wallTime() <= job.deadline) return true;',
        'if (job.deadline === null || this.clock.wallTime() > 0) return true;',
      ],
    ],
    tests: ['consumers/batching/waiting.test.ts'],
  },
  {
    promise: 3,
    breaks: 'a reply is sent after its deadline',
    edits: [
      [
        'consumers/requests/replies/outcome.ts',
        "if (outcome.kind !== 'reply' || outcome.deadline === null || now <= outcome.deadline) return outcome;",
        "if (outcome.kind !== 'reply' || outcome.deadline === null || now <= Infinity) return outcome;",
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 3,
    breaks: 'a reply that waited for earlier ones is sent after its deadline',
    edits: [
      [
        'consumers/requests/requests.ts',
        'return refuseIfLate(outcome, this.parts.now(), this.parts.node);',
        'return refuseIfLate(outcome, 0, this.parts.node);',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 4,
    breaks: 'fetching continues regardless of records in flight',
    edits: [
      [
        'consumers/records/in-flight.ts',
        'if (this.whole.hasRoom(this, 1)) return undefined;',
        'if (this.whole) return undefined;',
      ],
    ],
    tests: ['consumers/records/in-flight.test.ts', ...RECORD_CONSUMER_TESTS],
  },
  {
    promise: 4,
    breaks: 'the number of record headers is unlimited',
    edits: [
      [
        'kafka/record-batches/record-reader.ts',
        'if (count > this.limits.recordHeaders) {',
        'if (count > Infinity) {',
      ],
    ],
    tests: ['kafka/record-batches/batches.test.ts'],
  },
  {
    promise: 5,
    breaks: 'replies of ordered models are sent out of order',
    edits: [
      [
        'consumers/records/owned-partitions.ts',
        'new PartitionLedger<InFlightRecord<O>, O>(this.options.ordered)',
        'new PartitionLedger<InFlightRecord<O>, O>(false)',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 6,
    breaks: 'a reply of a revoked partition is published',
    edits: [
      [
        'consumers/records/record-consumer.ts',
        'if (partition.revoked) return this.#leave(entry.subject);',
        '',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 7,
    breaks: 'a SmallRye header is misnamed',
    edits: [['schemas/headers/dialects/smallrye.ts', "'REPLY_CORRELATION_ID'", "'REPLY_CORRELATION'"]],
    tests: ['schemas/headers/reply-dialects.test.ts'],
  },
  {
    promise: 7,
    breaks: "Spring's reply partition is read in the wrong byte order",
    edits: [['schemas/headers/dialects/dialect.ts', 'bytes.readInt32BE(0)', 'bytes.readInt32LE(0)']],
    tests: ['schemas/headers/reply-dialects.test.ts'],
  },
  {
    promise: 8,
    breaks: 'crash suspects run in the node process',
    edits: [
      [
        'consumers/requests/model-job.ts',
        '(isSuspect ? suspects : batcher).submit(new ModelJob(work, job, isCancelled));',
        '(isSuspect && work.deadline === 0 ? suspects : batcher).submit(new ModelJob(work, job, isCancelled));',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 8,
    breaks: 'a crashed owner leaves no mark',
    edits: [
      [
        'consumers/records/crash-count.ts',
        'this.#ownersBefore(position) + 1',
        'this.#ownersBefore(position)',
      ],
    ],
    tests: ['consumers/records/crash-count.test.ts', ...RECORD_CONSUMER_TESTS],
  },
  {
    promise: 8,
    breaks: 'a record that a share group delivers again is computed in the node process',
    edits: [['consumers/records/queue-consumer.ts', 'deliveries > 1 ||', 'deliveries > 99 ||']],
    tests: QUEUE_CONSUMER_TESTS,
  },
  {
    promise: 9,
    breaks: 'a node asks for records although its engine is busy',
    edits: [
      ['consumers/models/capacity.ts', 'const limiting = busy.length > 0 ? busy : ', 'const limiting = '],
    ],
    tests: ['consumers/models/capacity.test.ts'],
  },
  {
    promise: 9,
    breaks: 'a node that stops keeps the records that it is given',
    edits: [
      [
        'consumers/records/queue-consumer.ts',
        "if (this.#ending.signal.aborted) return this.consumer.acknowledge(record, 'release');",
        '',
      ],
    ],
    tests: QUEUE_CONSUMER_TESTS,
  },
];
