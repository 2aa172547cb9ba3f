import { type Writer, type Connection } from '../../platformatic/index.js';
import { ByteReader } from '../../record-batches/byte-reader.js';

/** A request encoded and decoded here, for speed or because the library decodes it incorrectly. */
export interface OwnRequest<R> {
  readonly key: number;
  readonly version: number;
  readonly write: () => Writer;
  readonly read: (reader: ByteReader) => R;
  /** True if the response header can have tagged fields, as in all flexible versions except ApiVersions. */
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
