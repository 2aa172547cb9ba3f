import { open, type FileHandle } from 'node:fs/promises';
import { elementCount, formatShape } from '../../schemas/datatypes.js';
import { invalidRequest } from '../../schemas/errors.js';
import type { ArrayInput } from './array-input.js';
import { writeWhole } from './write-whole.js';

/**
 * NumPy's .npy files, versions 1 to 3 (NEP 1): a magic string, the version, the length of a header and the header, a
 * Python dictionary with type, order and shape; then the elements.
 */
const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const ALIGNMENT = 64;
const MAX_HEADER_BYTES = 64 * 1024;
const DOUBLE_BYTES = 8;

/** Element types that are read, by NumPy's names, with their bytes. */
const TYPES: Readonly<Record<string, number>> = { '<f8': 8, '<f4': 4 };

interface NpyHeader {
  readonly type: string;
  readonly shape: readonly number[];
  readonly dataOffset: number;
}

/**
 * Opens a file for reading parts of it.
 * @param name of the file in errors
 * @throws PartituraError INVALID_REQUEST unless it holds float64 or float32 in C order
 */
export async function openNpy(path: string, name: string): Promise<ArrayInput> {
  const file = await open(path);
  try {
    const header = await readHeader(file, name);
    const { size } = await file.stat();
    const expected = header.dataOffset + elementCount(header.shape) * (TYPES[header.type] ?? 0);
    if (size < expected)
      throw invalidRequest(
        `${name}: expected ${expected} bytes for shape ${formatShape(header.shape)}, got ${size}`,
      );
    return new NpyInput(file, header);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(file: FileHandle, name: string): Promise<NpyHeader> {
  const start = Buffer.alloc(12);
  const { bytesRead } = await file.read(start, 0, start.length, 0);
  const version = start[6] ?? 0;
  if (
    bytesRead < start.length ||
    !start.subarray(0, MAGIC.length).equals(MAGIC) ||
    version < 1 ||
    version > 3
  )
    throw invalidRequest(
      `${name}: expected a .npy file, got ${bytesRead} bytes beginning ${start.toString('hex', 0, 6)}`,
    );
  const headerOffset = version === 1 ? 10 : 12;
  const length = version === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (length > MAX_HEADER_BYTES)
    throw invalidRequest(`${name}: expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`);
  const text = Buffer.alloc(length);
  await file.read(text, 0, length, headerOffset);
  return { ...parseHeader(text.toString('latin1'), name), dataOffset: headerOffset + length };
}

function parseHeader(text: string, name: string): Omit<NpyHeader, 'dataOffset'> {
  const type = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const isFortran = /'fortran_order':\s*True/.test(text);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (type === undefined || shape === undefined)
    throw invalidRequest(`${name}: expected 'descr' and 'shape' in its header, got ${text}`);
  if (TYPES[type] === undefined)
    throw invalidRequest(
      `${name}: expected float64 or float32 (${Object.keys(TYPES).join(', ')}), got '${type}'`,
    );
  const dimensions = shape
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (isFortran && dimensions.length > 1)
    throw invalidRequest(`${name}: expected C order, got Fortran order`);
  return { type, shape: dimensions.map(Number) };
}

class NpyInput implements ArrayInput {
  readonly shape: readonly number[];

  constructor(
    readonly file: FileHandle,
    readonly header: NpyHeader,
  ) {
    this.shape = header.shape;
  }

  async rows(begin: number, end: number): Promise<Float64Array<ArrayBuffer>> {
    const { type, shape, dataOffset } = this.header;
    const perRow = elementCount(shape.slice(1));
    const bytes = TYPES[type] ?? 0;
    const data = Buffer.from(new ArrayBuffer((end - begin) * perRow * bytes));
    const { bytesRead } = await this.file.read(data, 0, data.length, dataOffset + begin * perRow * bytes);
    if (bytesRead < data.length)
      throw new Error(`file: expected ${data.length} bytes of rows ${begin} to ${end}, got ${bytesRead}`);
    return type === '<f8' ? new Float64Array(data.buffer) : Float64Array.from(new Float32Array(data.buffer));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Writes float64 as .npy, in parts and in order. */
export class NpyOutput {
  /** @param position bytes of the file that are kept: 0 for a new one, else the position of an earlier writer */
  static async open(path: string, shape: readonly number[], position: number): Promise<NpyOutput> {
    const file = await open(path, position === 0 ? 'w' : 'r+');
    const output = new NpyOutput(file, position);
    if (position === 0) await output.#append(headerOf(shape));
    else await file.truncate(position);
    return output;
  }

  private constructor(
    readonly file: FileHandle,
    public position: number,
  ) {}

  async write(elements: Buffer): Promise<void> {
    await this.#append(elements);
    await this.file.datasync();
  }

  async #append(bytes: Buffer): Promise<void> {
    await writeWhole(this.file, bytes, this.position);
    this.position += bytes.length;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

function headerOf(shape: readonly number[]): Buffer {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f${DOUBLE_BYTES}', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const unpadded = MAGIC.length + 4 + text.length + 1;
  const header = text.padEnd(text.length + ((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT)) + '\n';
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([MAGIC, Buffer.from([1, 0]), length, Buffer.from(header, 'latin1')]);
}
