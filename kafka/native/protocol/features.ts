import { Writer } from '../../platformatic/index.js';
import type { ByteReader } from '../../record-batches/byte-reader.js';
import type { OwnRequest } from './send.js';

const API_VERSIONS = 18;
const SUPPORTED_FEATURES = 0;
const FINALIZED_FEATURES = 2;
const MIN = 'min';
const MAX = 'max';
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

/** A broker's answer about itself. */
export interface BrokerFeatures {
  /** Release of the software; undefined if the broker does not report it. */
  readonly release: string | undefined;
  /** Highest supported version of each request, by key. */
  readonly requests: ReadonlyMap<number, number>;
  /** Levels of the features that the cluster has turned on. */
  readonly features: ReadonlyMap<string, number>;
}

/** Requests a broker's versions and features; the library reads only the former. */
export function featuresRequest(): OwnRequest<BrokerFeatures> {
  return {
    key: API_VERSIONS,
    version: 3,
    write: () => Writer.create().appendString('partitura').appendString('1').appendTaggedFields(),
    read: readFeatures,
    hasTaggedHead: false,
  };
}

/** https://kafka.apache.org/protocol#The_Messages_ApiVersions */
function readFeatures(reader: ByteReader): BrokerFeatures {
  reader.int16(); // error code
  const requests = new Map<number, number>();
  reader.compactArray(() => {
    const key = reader.int16();
    reader.int16(); // minimum version
    requests.set(key, reader.int16());
    reader.skipTags();
  });
  reader.int32(); // throttle time
  let level = 0;
  let features: ReadonlyMap<string, number> = new Map();
  for (let left = reader.unsignedVarint(); left > 0; left--) {
    const tag = reader.unsignedVarint();
    const length = reader.unsignedVarint();
    const end = reader.position + length;
    if (tag === SUPPORTED_FEATURES) level = readLevels(reader, [MIN, MAX]).get(METADATA_VERSION) ?? 0;
    if (tag === FINALIZED_FEATURES) features = readLevels(reader, [MAX, MIN]);
    reader.position = end;
  }
  return { release: releaseOf(level), requests, features };
}

/** Reads the highest level of each feature. @param order of the two levels, which differs between the lists */
function readLevels(reader: ByteReader, order: readonly string[]): Map<string, number> {
  const levels = new Map<string, number>();
  reader.compactArray(() => {
    const name = reader.compactString() ?? '';
    for (const each of order) {
      const level = reader.int16();
      if (each === MAX) levels.set(name, level);
    }
    reader.skipTags();
  });
  return levels;
}

/** Returns undefined for releases before 3.3, which do not report it. */
export function releaseOf(level: number): string | undefined {
  return RELEASES.findLast(([first]) => first <= level)?.[1];
}
