import { z } from 'zod';
import { JOB_ID, JOB_STATES } from '../../../cluster/jobs/job-status.js';
import { InferInput } from './open-inference.js';

export const JobRequest = z
  .object({
    id: z
      .string()
      .regex(JOB_ID, 'expected 1 to 200 letters, digits and . _ -')
      .optional()
      .describe('The same id is the same job; generated if absent'),
    parameters: z
      .object({
        kind: z
          .string({ error: 'expected the name of a kind of jobs' })
          .describe('map, reduce, scan, matvec, matmul, or the name of a task'),
      })
      .catchall(z.union([z.string(), z.number(), z.boolean()]))
      .describe('The kind, and its parameters'),
    inputs: z.array(InferInput).describe('Tensors in the form of the Open Inference Protocol'),
  })
  .meta({
    example: {
      parameters: { kind: 'reduce', operation: 'sum' },
      inputs: [{ name: 'values', datatype: 'FP64', shape: [3], data: [1, 2, 3] }],
    },
  });

export const JobAccepted = z.object({ id: z.string() });

export const Job = z.object({
  id: z.string(),
  kind: z.string(),
  state: z.enum(JOB_STATES),
  coordinator: z.string(),
  submittedAt: z.int(),
  startedAt: z.int(),
  updatedAt: z.int(),
  finishedAt: z.int().nullable(),
  parts: z.int().nullable().describe('Parts that nodes compute, over all passes; null if not known yet'),
  starts: z.int().describe('Coordinators that have begun it'),
  partsDone: z.int(),
  partsRepeated: z.int().describe('Parts that were sent a second time because the first took too long'),
  doneRanges: z.string().describe('Parts that are done: 0-12,15'),
  resultParts: z.int().describe('Parts of the result that have been delivered'),
  outputBytes: z.int(),
  replyTopic: z.string(),
  output: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  failedParts: z.array(z.int()),
});

export const Jobs = z.object({ jobs: z.array(Job) });
