import type { ResultPart } from '../kinds/kind.js';

/** The place that the parts of a result are delivered to, in order. */
export interface ResultSink {
  /**
   * Delivers a part. Resolves once it is durable.
   * @throws Error if that fails for good
   */
  deliver(part: ResultPart, index: number): Promise<void>;
  /** Bytes of the file with everything delivered; 0 if it is not a file. */
  readonly position: number;
  close(): Promise<void>;
}
