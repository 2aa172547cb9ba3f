import { Writer } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import type { OwnRequest } from './send.js';

const API_VERSIONS = 18;
const SUPPORTED_FEATURES = 0;
const METADATA_VERSION = 'metadata.version';
/**
 * First level of the feature `metadata.version` in each release, from Kafka's own list
 * (org.apache.kafka.server.common.MetadataVersion); the highest level that a broker supports identifies its release.
 */
const RELEASES: readonly (readonly [level: number, release: string])[] = [
  [7, '3.3'],
  [8, '3.4'],
  [9, '3.5'],
  [12, '3.6'],
  [15, '3.7'],
  [20, '3.8'],
  [21, '3.9'],
  [22, '4.0'],
  [26, '4.1'],
  [28, '4.2'],
  [30, '4.3'],
  [31, '4.4 or later'],
];

/**
 * Requests a broker's supported features, which the library does not read. @returns its release, if the broker
 * reports it
 */
export function releaseRequest(): OwnRequest<string | undefined> {
  return {
    key: API_VERSIONS,
    version: 3,
    write: () => Writer.create().appendString('partitura').appendString('1').appendTaggedFields(),
    read: (reader) => releaseOf(readLevel(reader)),
    hasTaggedHead: false,
  };
}

/** https://kafka.apache.org/protocol#The_Messages_ApiVersions */
function readLevel(reader: ByteReader): number {
  reader.int16(); // error code
  reader.compactArray(() => {
    reader.skip(6); // key, minimum and maximum version
    reader.skipTags();
  });
  reader.int32(); // throttle time
  let level = 0;
  for (let left = reader.unsignedVarint(); left > 0; left--) {
    const tag = reader.unsignedVarint();
    const length = reader.unsignedVarint();
    const end = reader.position + length;
    if (tag === SUPPORTED_FEATURES)
      reader.compactArray(() => {
        const name = reader.compactString();
        reader.int16(); // minimum
        const highest = reader.int16();
        reader.skipTags();
        if (name === METADATA_VERSION) level = highest;
      });
    reader.position = end;
  }
  return level;
}

/** Returns undefined for releases before 3.3, which do not report it. */
export function releaseOf(level: number): string | undefined {
  return RELEASES.findLast(([first]) => first <= level)?.[1];
}
