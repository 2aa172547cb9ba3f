import type { KafkaRecord } from '../../kafka/port.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import type { Fields } from './features.js';
import type { Predictions } from './predictions.js';

/** The reader of a source's records and the writer of their results. */
export interface Format {
  /**
   * Returns a promise if a schema has to be looked up; after `close` it never settles.
   * @param isPossible returns true if the model can give a result for a record with these fields
   */
  lookUp(record: KafkaRecord, isPossible: IsPossible): Promise<void> | undefined;
  /** @throws PartituraError DECODE_FAILED */
  read(value: Buffer, headers: RecordHeaders): SourceRecord;
  /** Ends all lookups. */
  close(): void;
}

/** The fields of a source record, and how to interpret them. */
export interface SourceFields {
  readonly fields: Fields;
  /** True if infinite numbers are overflows of a double. */
  readonly finite: boolean;
  /** Returns the spelling in `fields` of a name that its writer uses, if it differs. */
  readonly spell?: (name: string) => string;
}

export type IsPossible = (source: SourceFields) => boolean;

/** A decoded source record. */
export interface SourceRecord extends SourceFields {
  /** @throws PartituraError INVALID_REQUEST if the record already has a field of such a name */
  result(predictions: Predictions): Result;
}

/** The value of a result, and the differences of its headers from those of its source; undefined removes a header. */
export interface Result {
  readonly value: Buffer;
  readonly headers: RecordHeaders;
}
