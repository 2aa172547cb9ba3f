import type { z } from 'zod';
import type { InferenceRequest, Tensor, TensorStatus } from '../../schemas/generated.js';
import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { JobFolder } from '../files/job-folder.js';

/** A job as a kind sees it. */
export interface JobOrder {
  readonly request: InferenceRequest;
  readonly files: JobFolder;
  /** Returns the inputs of a model. @throws PartituraError MODEL_NOT_FOUND if no node serves it */
  readonly inputsOf: (model: string) => readonly TensorStatus[];
  /** Largest request of a part, bytes. */
  readonly maxPartBytes: number;
}

/** A part of the result: consecutive rows of it, or all of it. */
export type ResultPart = readonly Tensor[];

/** The plan of a job: how it is cut, computed and joined. */
export interface JobPlan {
  /** Parts that nodes compute, over all passes; null if that is known only at the end. */
  readonly parts: number | null;
  /** Shape of the whole result if it is one array that may be written to a .npy file. */
  readonly shape?: readonly number[];
  /** True if the result is one part, so that a next coordinator begins again. */
  readonly isWhole?: true;
  /**
   * Yields the result in order.
   * @param from first part of the result that is still missing
   * @throws PartsFailedError, PartituraError
   */
  results(dispatcher: Dispatcher, from: number): AsyncIterable<ResultPart>;
  close(): Promise<void>;
}

/** A kind of job: how its parameters are checked and how it is planned. */
export interface JobKind<Parameters extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** One sentence for help texts. */
  readonly summary: string;
  readonly parameters: Parameters;
  /** @throws PartituraError INVALID_REQUEST that names the parameter or input */
  plan(parameters: z.output<Parameters>, order: JobOrder): Promise<JobPlan>;
}
