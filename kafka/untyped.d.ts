declare module 'lz4js' {
  const lz4: {
    compress(data: Uint8Array): Uint8Array;
    /** @returns the end of the data, which may lie beyond the end of `output` */
    decompressBlock(
      input: Uint8Array,
      output: Uint8Array,
      inputStart: number,
      inputLength: number,
      outputStart: number,
    ): number;
  };
  export default lz4;
}

declare module 'lz4js/xxh32.js' {
  export function hash(seed: number, bytes: Uint8Array, start: number, length: number): number;
}

declare module 'snappyjs' {
  const snappy: {
    compress(data: Uint8Array): Uint8Array;
    uncompress(data: Uint8Array): Uint8Array;
  };
  export default snappy;
}
