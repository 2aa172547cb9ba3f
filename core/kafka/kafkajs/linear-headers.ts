import { addHeader } from '../headers-by-name.js';
import Decoder, { type Header } from 'kafkajs/src/protocol/decoder.js';

/**
 * kafkajs copies all headers of a record for each further one: a record with 10,000 headers keeps the event loop for
 * longer than a session lasts, in every node that it comes to. Headers are the one thing that is read by this method,
 * and they are then gathered by `reduce`: here by one that looks at each header once. kafkajs is pinned to the version
 * whose method this wraps.
 */
const readArray = Object.getOwnPropertyDescriptor(Decoder.prototype, 'readVarIntArray')?.value as (
  this: Decoder,
  reader: unknown,
) => Header[];

Decoder.prototype.readVarIntArray = function (this: Decoder, reader: unknown): Header[] {
  const headers = readArray.call(this, reader);
  return Object.assign(headers, { reduce: () => gather(headers) });
};

/** Values by name; a name that occurs several times has a list. */
export function gather(headers: Iterable<Header>): Record<string, Header['value'] | Header['value'][]> {
  const byName: Record<string, Header['value'] | Header['value'][]> = {};
  for (const { key, value } of headers) addHeader(byName, key, value);
  return byName;
}
