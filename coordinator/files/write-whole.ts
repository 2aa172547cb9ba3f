import type { FileHandle } from 'node:fs/promises';

/** Writes all bytes at a position. @throws Error if the disk is full */
export async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error(`file: expected to write ${bytes.length} bytes, wrote ${done}`);
    done += bytesWritten;
  }
}
