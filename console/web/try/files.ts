import type { TensorView } from '../../api/views.js';
import { toInput, type InputData, type Nested } from './tensors.js';

/** Range that pixel values are scaled to. */
export interface PixelRange {
  readonly label: string;
  readonly from: number;
  readonly to: number;
}

export const PIXEL_RANGES: readonly PixelRange[] = [
  { label: '0 to 255', from: 0, to: 255 },
  { label: '0 to 1', from: 0, to: 1 },
  { label: '-1 to 1', from: -1, to: 1 },
  // Ink of the digits data set: white paper is 0.
  { label: '16 (black) to 0 (white)', from: 16, to: 0 },
];

/** Place of an image in a tensor. */
export interface ImageLayout {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** True if all values of a channel come together. */
  readonly planar: boolean;
}

/** Side given to an open dimension of images. */
const OPEN_SIDE = 224;

/** Returns the layout of images that fit a tensor; undefined if none does. */
export function imageLayout({ shape, datatype }: TensorView): ImageLayout | undefined {
  if (datatype === 'BYTES' || datatype === 'BOOL') return undefined;
  const side = (size: number | undefined): number => (size === undefined || size < 0 ? OPEN_SIDE : size);
  const [, a, b, c] = shape;
  if (shape.length === 4 && isChannels(c))
    return { height: side(a), width: side(b), channels: c, planar: false };
  if (shape.length === 4 && isChannels(a))
    return { height: side(b), width: side(c), channels: a, planar: true };
  if (shape.length === 3 && side(a) > 4 && side(b) > 4)
    return { height: side(a), width: side(b), channels: 1, planar: false };
  const square = Math.sqrt(a ?? 0);
  if (shape.length === 2 && Number.isInteger(square) && square >= 4)
    return { height: square, width: square, channels: 1, planar: false };
  return undefined;
}

function isChannels(size: number | undefined): size is 1 | 3 {
  return size === 1 || size === 3;
}

/** Suggests the range that models of such an input usually expect. */
export function usualRange({ datatype, name, shape }: TensorView): PixelRange {
  const [bytes, unit, , sixteen] = PIXEL_RANGES as readonly [PixelRange, PixelRange, PixelRange, PixelRange];
  if (name === 'pixels' && shape[1] === 64) return sixteen;
  return datatype.startsWith('FP') ? unit : bytes;
}

/** Resizes an image to a tensor's layout. @throws Error if the browser cannot read it */
export async function readImage(
  file: Blob,
  tensor: TensorView,
  layout: ImageLayout,
  range: PixelRange,
): Promise<InputData> {
  const { width, height } = layout;
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`input '${tensor.name}': expected an image that the browser can read`);
  });
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('the browser cannot draw images');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  const isWhole = !tensor.datatype.startsWith('FP');
  const scaled = (byte: number): number => {
    const value = range.from + (byte / 255) * (range.to - range.from);
    return isWhole ? Math.round(value) : Math.round(value * 1e5) / 1e5;
  };
  const data = arrange(context.getImageData(0, 0, width, height).data, layout).map(scaled);
  return { shape: shapeOf(tensor, layout), data };
}

/** Returns bytes in the order of the tensor; one channel is the luminance. */
function arrange(pixels: Uint8ClampedArray, { width, height, channels, planar }: ImageLayout): number[] {
  const count = width * height;
  const at = (pixel: number, channel: number): number => pixels[pixel * 4 + channel] ?? 0;
  if (channels === 1)
    return Array.from(
      { length: count },
      (_, pixel) => 0.299 * at(pixel, 0) + 0.587 * at(pixel, 1) + 0.114 * at(pixel, 2),
    );
  return Array.from({ length: count * channels }, (_, index) =>
    planar
      ? at(index % count, Math.floor(index / count))
      : at(Math.floor(index / channels), index % channels),
  );
}

function shapeOf({ shape }: TensorView, { width, height, channels, planar }: ImageLayout): number[] {
  if (shape.length === 4) return planar ? [1, channels, height, width] : [1, height, width, channels];
  return shape.length === 3 ? [1, height, width] : [1, width * height];
}

/**
 * Reads a JSON file: the data of one input, or a whole request, from which the input of this name is taken.
 * @throws Error that names the input
 */
export async function readJsonFile(file: Blob, tensor: TensorView): Promise<InputData> {
  const { inputs, value } = await parseFile(file, tensor.name);
  if (inputs === undefined) return toInput(tensor, value);
  const found = inputs.find(({ name }) => name === tensor.name);
  if (!found) throw new Error(`input '${tensor.name}': the file has no input of this name`);
  return toInput(tensor, found.data);
}

interface RequestFile {
  /** Inputs of a whole request; undefined for the data of one input. */
  readonly inputs?: readonly { readonly name: string; readonly data: Nested }[] | undefined;
  readonly value: Nested;
}

async function parseFile(file: Blob, name: string): Promise<RequestFile> {
  try {
    const value = JSON.parse(await file.text()) as Nested & Partial<RequestFile>;
    return { inputs: Array.isArray(value.inputs) ? value.inputs : undefined, value };
  } catch (error) {
    throw new Error(`input '${name}': expected JSON or an image: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
