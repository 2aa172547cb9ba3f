import type { KafkaRecord } from '../../kafka/port.js';
import { PartituraError } from '../../schemas/errors.js';
import type { InferenceRequest } from '../../schemas/generated.js';
import type { ModelWork } from './model-job.js';
import type { ModelCatalog } from '../models/catalog.js';
import type { ServedVersion } from '../models/served-version.js';
import { validateRequest } from '../models/validate.js';
import { headStartMs } from './priority.js';
import { RequestReader, type ReaderOptions, type ReadRequest } from './request-reader.js';
import type { Outcome } from './replies/outcome.js';

/** A request to compute. */
export interface Admitted extends ModelWork, ReadRequest {}

export interface AdmissionOptions extends ReaderOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Decides whether a record is a request to compute or ends with an outcome at once. Pure.
 * Unreadable records become dead letters; readable ones that cannot be served get an error reply.
 */
export class Admission {
  readonly #reader: RequestReader;

  constructor(
    readonly catalog: Pick<ModelCatalog, 'resolve'>,
    readonly options: AdmissionOptions,
  ) {
    this.#reader = new RequestReader(options);
  }

  /** @param model the model that the record's topic belongs to */
  decide(record: KafkaRecord, model: string): Admitted | Outcome {
    const read = this.#reader.read(record, model);
    if ('kind' in read) return read;
    const { caller, request } = read;
    if (request.model !== model)
      return this.#reader.refuse(record, caller, request, wrongTopic(request.model, model));
    return this.#admit(record, read);
  }

  #admit(record: KafkaRecord, { request, caller }: ReadRequest): Admitted | Outcome {
    try {
      const { model, modelVersion, parameters } = request;
      const version = this.catalog.resolve(model, modelVersion, parameters['signature']);
      const valid = validateRequest(request, version.signature);
      this.#refuseLate(request, version);
      return {
        request,
        caller,
        version,
        valid,
        deadline: request.deadline,
        headStartMs: headStartMs(parameters['priority']),
      };
    } catch (cause) {
      return this.#reader.refuse(record, caller, request, PartituraError.from(cause));
    }
  }

  /** Refuses requests that are expired, or will be once the queue before them is done. */
  #refuseLate({ deadline }: InferenceRequest, { batcher }: ServedVersion): void {
    if (deadline === null) return;
    const leftMs = deadline - this.options.now();
    if (leftMs < 0)
      throw new PartituraError(
        'DEADLINE_EXCEEDED',
        `deadline passed ${-leftMs} ms before the request was read`,
      );
    const waitMs = Math.round(batcher.expectedWaitMs);
    if (waitMs > leftMs) {
      throw new PartituraError(
        'DEADLINE_EXCEEDED',
        `deadline in ${leftMs} ms, but the queue before the request takes about ${waitMs} ms`,
      );
    }
  }
}

/** Returns the error for another model's topic, whether that model is served here or not: all nodes answer alike. */
function wrongTopic(asked: string, model: string): PartituraError {
  return new PartituraError(
    'MODEL_NOT_FOUND',
    `model: expected '${model}', whose topic this is, got '${asked}'`,
  );
}
