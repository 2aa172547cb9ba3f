import type { SignatureView } from '../../api/views.js';

/** Pixels per side, and the largest value of one, as in the data of the example model. */
export const SIDE = 8;
export const MAX_VALUE = 16;
const PIXELS = SIDE * SIDE;

/** Returns true for the signature of the example model: 64 pixels in, ten probabilities out. */
export function isDigits({ inputs, outputs }: SignatureView): boolean {
  const [input, ...others] = inputs;
  const [output] = outputs;
  return (
    input?.name === 'pixels' &&
    others.length === 0 &&
    input.shape.length === 2 &&
    input.shape[1] === PIXELS &&
    output?.shape[1] === 10
  );
}

/** One handwritten digit of each kind from the data set; a character is a pixel in base 17. */
const EXAMPLES = [
  '00aeb30004gd6e1004g20b7008g00a5008g00e4008g01g1004g1bf0000bgc300',
  '0000c5000002gc00001cgb0002cgga0006b5f6000001g9000002gb000003g800',
  '0005ec20007f8e4000623d100001d400001b900008gd000005egb2000006cd30',
  '009gd6000065gg000008f5000005e30000009f2000000bc00048bfc000bec800',
  '0009f100004gc00000fe2b3004g94ga009gbdg20009gge000008g6000009g200',
  '02dgggb005ga541006g7300009ggg6000384bf000001cf00004dg60002gf8000',
  '0005e200001db000005g2000006f500001fgfb1002de1c90004g7d900005gf30',
  '0009fc0000477e0000000d300498ad1004gfgg600000e3000009c000000b7000',
  '0077dg4000dd6c7000a4ab10008ga00003eg0000088b500004a9800001bg6000',
  '002d8000006gg600005fdb000007gf0000000e30000007b0000344g2002fded2',
];

/** Returns the pixels of an example. @param digit 0 to 9 */
export function exampleDigit(digit: number): number[] {
  return [...(EXAMPLES[digit] ?? '')].map((character) => parseInt(character, MAX_VALUE + 1));
}

export const BLANK: readonly number[] = new Array<number>(PIXELS).fill(0);

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Size of the bitmap that is reduced to pixels, as in the data set: 32 × 32, then blocks of 4 × 4. */
const BITMAP = 32;
const BLOCK = BITMAP / SIDE;
const MARGIN = 2;
const PEN = 6.2;

/** Returns the strokes as lines in the bitmap: centered, and as tall as the digits of the data set. */
export function fitStrokes(strokes: readonly (readonly Point[])[]): Point[][] {
  const points = strokes.flat();
  const [left, right] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const [top, bottom] = [Math.min(...points.map(({ y }) => y)), Math.max(...points.map(({ y }) => y))];
  const room = BITMAP - 2 * MARGIN;
  const scale = Math.min(room / Math.max(bottom - top, 0.05), (room * 0.85) / Math.max(right - left, 0.05));
  const middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
  return strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({
      x: BITMAP / 2 + (x - middle.x) * scale,
      y: BITMAP / 2 + (y - middle.y) * scale,
    })),
  );
}

/** Draws strokes and counts the ink in each block. @param canvas of any size, which is overwritten */
export function toPixels(canvas: HTMLCanvasElement, strokes: readonly (readonly Point[])[]): number[] {
  if (strokes.flat().length === 0) return [...BLANK];
  canvas.width = canvas.height = BITMAP;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return [...BLANK];
  drawStrokes(context, fitStrokes(strokes), PEN);
  const { data } = context.getImageData(0, 0, BITMAP, BITMAP);
  const alphaAt = (x: number, y: number): number => data[(y * BITMAP + x) * 4 + 3] ?? 0;
  return Array.from({ length: PIXELS }, (_, index) => {
    let ink = 0;
    for (let dy = 0; dy < BLOCK; dy++)
      for (let dx = 0; dx < BLOCK; dx++)
        ink += alphaAt((index % SIDE) * BLOCK + dx, Math.floor(index / SIDE) * BLOCK + dy);
    return Math.round((ink / 255 / BLOCK ** 2) * MAX_VALUE);
  });
}

export function drawStrokes(
  context: CanvasRenderingContext2D,
  strokes: readonly (readonly Point[])[],
  width: number,
): void {
  context.lineWidth = width;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const [first, ...rest] of strokes) {
    if (!first) continue;
    context.beginPath();
    context.moveTo(first.x, first.y);
    // A line to its own start draws a dot.
    for (const { x, y } of rest.length > 0 ? rest : [first]) context.lineTo(x, y);
    context.stroke();
  }
}
