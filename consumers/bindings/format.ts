import type { KafkaRecord } from '../../kafka/port.js';
import type { RecordHeaders } from '../../schemas/framing/framing.js';
import type { Fields } from './features.js';
import type { Predictions } from './predictions.js';

/** How the records of a source are read and the results to them written. */
export interface Format {
  /**
   * A promise when a schema must be looked up first; it is never settled when that has ended for good.
   * @param isPossible whether the model may give a result to a record of these fields
   */
  lookUp(record: KafkaRecord, isPossible: IsPossible): Promise<void> | undefined;
  /** @throws PartituraError DECODE_FAILED */
  read(value: Buffer, headers: RecordHeaders): SourceRecord;
  /** Ends all look-ups. */
  close(): void;
}

/** The fields of a source's record, and how they are to be taken. */
export interface SourceFields {
  readonly fields: Fields;
  /** Whether no number in it can be infinite: one that is was beyond the range of a double. */
  readonly finite: boolean;
  /** How a name that its writer uses is spelled in `fields`, where that differs. */
  readonly spell?: (name: string) => string;
}

export type IsPossible = (source: SourceFields) => boolean;

/** A record of a source, read. */
export interface SourceRecord extends SourceFields {
  /** @throws PartituraError INVALID_REQUEST when the record has a field of such a name already */
  result(predictions: Predictions): Result;
}

/** The value of a result, and how its headers differ from those of its source: one that is undefined is left out. */
export interface Result {
  readonly value: Buffer;
  readonly headers: RecordHeaders;
}
