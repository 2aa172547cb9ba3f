import type { BindingDefinition } from '../../cluster/bindings/definition.js';
import type { FailureStage } from '../../schemas/headers/headers.js';
import { changedHeaders } from '../../schemas/headers/header-list.js';
import type { KafkaRecord, OutgoingRecord } from '../../kafka/port.js';
import { sleep } from '../../core/time.js';
import { PartituraError } from '../../schemas/errors.js';
import type { Answer } from '../batching/batch.js';
import type { PartitionLease, RecordHandler } from '../records/record-handler.js';
import type { RunningJob } from '../records/record-job.js';
import { startOnModel, type ModelWork } from '../requests/model-job.js';
import type { ServedVersion } from '../models/served-version.js';
import { validateRequest } from '../models/validate.js';
import type { RecordSpans } from '../records/record-spans.js';
import { tensorOf } from './features.js';
import type { Format, SourceFields, SourceRecord } from './format.js';
import type { Prediction } from './predictions.js';

/** A source record to predict. */
export interface BoundWork extends ModelWork {
  readonly source: SourceRecord;
}

/** The outcome of a source record. */
export type BoundOutcome =
  | { readonly kind: 'result'; readonly record: KafkaRecord; readonly result: OutgoingRecord }
  | {
      readonly kind: 'dead-letter';
      readonly record: KafkaRecord;
      readonly stage: FailureStage;
      readonly error: PartituraError;
    };

/** Publishes outcomes. */
export interface BoundPublisher {
  publish(outcome: BoundOutcome, acknowledged: () => void, claim: PartitionLease): void;
  close(): Promise<void>;
}

export interface BoundParts {
  readonly format: Format;
  readonly predictions: readonly Prediction[];
  readonly publisher: BoundPublisher;
  readonly spans: Pick<RecordSpans, 'carryOn'>;
  /** Returns the version that answers; undefined while no available version has the expected outputs. */
  version(): ServedVersion | undefined;
  /** True if results go to the partition with the number of their source's. */
  readonly keepsPartitions: boolean;
}

/** Names the model of a result. */
const MODEL_HEADER = 'partitura-model';
const VERSION_HEADER = 'partitura-model-version';

/** Interval at which a waiting partition checks for its model, milliseconds. */
const MODEL_LOOK_MS = 500;

/** Handles records of a binding: fields to tensors → batcher → the record with its prediction, or a dead letter. */
export class BoundRecords implements RecordHandler<BoundWork, BoundOutcome> {
  constructor(
    readonly binding: BindingDefinition,
    readonly parts: BoundParts,
  ) {}

  /** Makes records wait for a model that fits, or for their binding to restart. */
  whenDecodable(record: KafkaRecord): Promise<void> | undefined {
    if (!this.parts.version()) return sleep(MODEL_LOOK_MS);
    return this.parts.format.lookUp(record, (source) => this.#isPossible(source));
  }

  decide(record: KafkaRecord): BoundWork | BoundOutcome {
    const { value } = record;
    if (value === null) return this.#tombstone(record);
    let source: SourceRecord;
    try {
      source = this.parts.format.read(value, record.headers);
    } catch (cause) {
      return this.deadLetter(record, 'decode', PartituraError.from(cause, 'DECODE_FAILED'));
    }
    try {
      return { ...this.#toCompute(source), source };
    } catch (cause) {
      return this.deadLetter(record, 'validate', PartituraError.from(cause));
    }
  }

  #isPossible(source: SourceFields): boolean {
    try {
      this.#toCompute(source);
      return true;
    } catch {
      return false;
    }
  }

  #toCompute(source: SourceFields): ModelWork {
    const { model, version: wanted = null, inputs } = this.binding;
    const version = this.parts.version();
    if (!version) throw new PartituraError('MODEL_NOT_READY', `model '${model}': no version is available`);
    const tensors = version.signature.inputs.map((spec) => tensorOf(spec, inputs[spec.name] ?? [], source));
    const request = {
      id: '',
      model,
      modelVersion: wanted,
      inputs: tensors,
      outputs: [],
      parameters: {},
      deadline: null,
    };
    return {
      version,
      valid: validateRequest(request, version.signature),
      deadline: null,
    };
  }

  /** Returns a tombstone for a tombstone: results in a compacted topic are deleted with their source. */
  #tombstone(record: KafkaRecord): BoundOutcome {
    return { kind: 'result', record, result: { ...this.#envelope(record), value: null } };
  }

  start(work: BoundWork, job: RunningJob<BoundWork>, isSuspect: boolean): void {
    startOnModel(work, job, isSuspect);
  }

  answered(record: KafkaRecord, { source, version }: BoundWork, { outputs }: Answer): BoundOutcome {
    try {
      const added = Object.fromEntries(
        this.parts.predictions.map((field) => [field.name, field.read(outputs)]),
      );
      const { value, headers } = source.result(added);
      const envelope = this.#envelope(record);
      const made = {
        [MODEL_HEADER]: Buffer.from(version.model),
        [VERSION_HEADER]: Buffer.from(version.version),
      };
      const all = { ...envelope.headers, ...headers, ...made };
      this.parts.spans.carryOn(record, envelope.topic, all);
      const result = { ...envelope, value, ...changedHeaders(record, all) };
      return { kind: 'result', record, result };
    } catch (cause) {
      return this.deadLetter(record, 'reply', PartituraError.from(cause));
    }
  }

  #envelope({ key, headers, headerList, timestamp, partition }: KafkaRecord): Omit<OutgoingRecord, 'value'> {
    const { topic } = this.binding.output;
    const place = this.parts.keepsPartitions ? { topic, partition } : { topic };
    const listed = headerList ? { headers, headerList } : { headers };
    return { ...place, key, ...listed, ...(timestamp >= 0 && { timestamp }) };
  }

  failed(record: KafkaRecord, _work: BoundWork, cause: unknown): BoundOutcome {
    return this.deadLetter(record, 'model', PartituraError.from(cause, 'MODEL_FAILED'));
  }

  deadLetter(record: KafkaRecord, stage: FailureStage, error: PartituraError): BoundOutcome {
    return { kind: 'dead-letter', record, stage, error };
  }

  ensureDeliverable(outcome: BoundOutcome): BoundOutcome {
    return outcome;
  }

  overtakes(): boolean {
    return false;
  }

  released(outcome: BoundOutcome): BoundOutcome {
    return outcome;
  }

  outcomeName(outcome: BoundOutcome): string {
    if (outcome.kind === 'dead-letter') return outcome.error.code;
    return outcome.result.value === null ? 'tombstone' : 'ok';
  }

  publish(outcome: BoundOutcome, acknowledged: () => void, claim: PartitionLease): void {
    this.parts.publisher.publish(outcome, acknowledged, claim);
  }
}
