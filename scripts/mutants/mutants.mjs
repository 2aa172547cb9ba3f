// Breakages of the promises, one or more for each. Tests must fail on every one of them.

/**
 * @typedef {object} Mutant
 * @property {number} promise as README numbers it
 * @property {string} breaks in words
 * @property {[file: string, from: string, to: string][]} edits each `from` stands once in its file
 * @property {string[]} tests files of tests of which at least one must fail
 */

const RECORD_CONSUMER_TESTS = ['record-consumer', 'crashed-owner', 'schema-barrier'].map(
  (name) => `consumers/records/${name}.test.ts`,
);

/** @type {Mutant[]} */
export const MUTANTS = [
  {
    promise: 1,
    breaks: 'a position is committed before the broker has the outcome',
    edits: [
      [
        'consumers/records/record-consumer.ts',
        'this.handler.publish(outcome, acknowledged, subject.partition);',
        'acknowledged();\n    this.handler.publish(outcome, () => undefined, subject.partition);',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 1,
    breaks: 'a reply that the broker refuses is dropped',
    edits: [
      [
        'consumers/requests/replies/publisher.ts',
        "this.#sendDeadLetter(publication, { record, stage: 'reply', error: cause });",
        'void cause;\n    publication.acknowledged();',
      ],
    ],
    tests: ['consumers/requests/replies/publisher.test.ts'],
  },
  {
    promise: 1,
    breaks: 'kafkajs drops records whose leader has moved',
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
    breaks: 'a bad row fails the requests beside it',
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
    breaks: 'a deadline that has passed when the record is read is ignored',
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
    breaks: 'a deadline that has passed when the batch closes is ignored',
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
    breaks: 'a reply whose deadline has passed is sent all the same',
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
    breaks: 'a reply that waited for earlier ones beyond its deadline is sent',
    edits: [
      [
        'consumers/requests/requests.ts',
        'return unlessLate(outcome, this.parts.now(), this.parts.node);',
        'return unlessLate(outcome, 0, this.parts.node);',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 4,
    breaks: 'fetching goes on whatever is in flight',
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
    breaks: 'a record may have any number of headers',
    edits: [
      [
        'kafka/record-batches/read-batches.ts',
        'if (count > this.limits.recordHeaders) {',
        'if (count > Infinity) {',
      ],
    ],
    tests: ['kafka/record-batches/batches.test.ts'],
  },
  {
    promise: 5,
    breaks: 'replies of ordered models leave as they are done',
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
    breaks: 'an answer of a partition that was given up is published',
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
    breaks: 'a header of SmallRye has another name',
    edits: [['schemas/headers/reply-dialects.ts', "'REPLY_CORRELATION_ID'", "'REPLY_CORRELATION'"]],
    tests: ['schemas/headers/reply-dialects.test.ts'],
  },
  {
    promise: 7,
    breaks: "the bytes of Spring's reply partition are read in another order",
    edits: [['schemas/headers/reply-dialects.ts', 'bytes.readInt32BE(0)', 'bytes.readInt32LE(0)']],
    tests: ['schemas/headers/reply-dialects.test.ts'],
  },
  {
    promise: 8,
    breaks: 'suspects of a crash are computed in the node',
    edits: [
      [
        'consumers/requests/model-job.ts',
        '(isSuspect ? suspects : batcher).submit(new ModelJob(work, job));',
        '(isSuspect && work.deadline === 0 ? suspects : batcher).submit(new ModelJob(work, job));',
      ],
    ],
    tests: RECORD_CONSUMER_TESTS,
  },
  {
    promise: 8,
    breaks: 'an owner that dies leaves no mark',
    edits: [
      [
        'consumers/records/crash-count.ts',
        'this.#ownersBefore(position) + 1',
        'this.#ownersBefore(position)',
      ],
    ],
    tests: ['consumers/records/crash-count.test.ts', ...RECORD_CONSUMER_TESTS],
  },
];
