import type { RecordHeaders } from '../../schemas/framing/framing.js';

/** Number of a part of a result, from 0; decimal text. */
export const JOB_PART = 'job-part';
/** Number of all parts, on the last one only; decimal text. */
export const JOB_PARTS = 'job-parts';

/** Returns the headers of a part of a result. @param parts number of all parts if it is the last one */
export function partHeaders(index: number, parts?: number): RecordHeaders {
  return {
    [JOB_PART]: Buffer.from(String(index)),
    ...(parts !== undefined && { [JOB_PARTS]: Buffer.from(String(parts)) }),
  };
}
