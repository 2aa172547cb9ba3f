import { type Writer, type Connection } from '@platformatic/kafka';
import { ByteReader } from '../../record-batches/byte-reader.js';

/** A request that is written and read here rather than by the library, for speed or because its reading is wrong. */
export interface OwnRequest<R> {
  readonly key: number;
  readonly version: number;
  readonly write: () => Writer;
  readonly read: (reader: ByteReader) => R;
  /** Whether the answer's head has room for fields that newer brokers add, as all have but one. */
  readonly hasTaggedHead?: boolean;
}

export function send<R>(
  connection: Connection,
  { key, version, write, read, hasTaggedHead = true }: OwnRequest<R>,
): Promise<R> {
  return new Promise((resolve, reject) => {
    const parse = (
      _correlationId: number,
      _key: number,
      _version: number,
      { buffer, position }: { buffer: { buffer: Buffer }; position: number },
    ): R => read(new ByteReader(buffer.buffer, position));
    connection.send<R>(key, version, write, parse, true, hasTaggedHead, (error, response) => {
      if (error) reject(error);
      else resolve(response as R);
    });
  });
}
