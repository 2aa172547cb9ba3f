import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { drawStrokes, exampleDigit, MAX_VALUE, SIDE, toPixels, type Point } from './digits.js';

/** Side of the drawing area in its own units; CSS scales it. */
const AREA = 256;
const PEN = 20;
/** Step of the pen for an arrow key. */
const STEP = AREA / 24;
const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

interface DrawingProps {
  /** The pixels as the model gets them. */
  readonly pixels: readonly number[];
  onDraw(pixels: number[]): void;
}

/** An area to draw a digit, the pixels that it becomes, and digits to click. */
export function Drawing({ pixels, onDraw }: DrawingProps): JSX.Element {
  const strokes = useSignal<readonly (readonly Point[])[]>([]);
  const scratch = useRef<HTMLCanvasElement | null>(null);
  const change = (next: readonly (readonly Point[])[]): void => {
    strokes.value = next;
    scratch.current ??= document.createElement('canvas');
    onDraw(toPixels(scratch.current, next));
  };
  const choose = (digit: number): void => {
    strokes.value = [];
    onDraw(exampleDigit(digit));
  };
  return (
    <div class="drawing">
      <div class="pads">
        <figure>
          <Pad strokes={strokes.value} pixels={pixels} onChange={change} />
          <figcaption>Draw a digit</figcaption>
        </figure>
        <figure>
          <PixelView pixels={pixels} />
          <figcaption>As the model sees it</figcaption>
        </figure>
      </div>
      <div class="examples" role="group" aria-label="Examples">
        {Array.from({ length: 10 }, (_, digit) => (
          <button
            key={digit}
            type="button"
            class="small"
            onClick={() => choose(digit)}
            aria-label={`Example ${digit}`}
          >
            {digit}
          </button>
        ))}
        <button type="button" class="small" onClick={() => change([])}>
          Clear
        </button>
      </div>
    </div>
  );
}

interface PadProps {
  readonly strokes: readonly (readonly Point[])[];
  /** Shown while there are no strokes: an example. */
  readonly pixels: readonly number[];
  onChange(strokes: readonly (readonly Point[])[]): void;
}

/** The drawing area: mouse, finger or pen; with the keyboard, arrows move the pen and space lowers or lifts it. */
function Pad({ strokes, pixels, onChange }: PadProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useSignal<Point | undefined>(undefined);
  const isDown = useSignal(false);
  useEffect(() => paint(canvas.current, strokes.length > 0 ? strokes : pixels, pen.value, isDown.value));
  const extend = (point: Point): void =>
    onChange([...strokes.slice(0, -1), [...(strokes.at(-1) ?? []), point]]);
  const move = (direction: Point): void => {
    const { x, y } = pen.value ?? { x: AREA / 2, y: AREA / 4 };
    pen.value = { x: clamp(x + direction.x), y: clamp(y + direction.y) };
    if (isDown.value) extend(pen.value);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = DIRECTIONS[event.key];
    if (!direction && event.key !== ' ' && event.key !== 'Delete') return;
    event.preventDefault();
    if (direction) return move(direction);
    if (event.key === 'Delete') return onChange([]);
    pen.value ??= { x: AREA / 2, y: AREA / 4 };
    isDown.value = !isDown.value;
    if (isDown.value) onChange([...strokes, [pen.value]]);
  };
  return (
    <canvas
      ref={canvas}
      class="pad"
      width={AREA}
      height={AREA}
      tabIndex={0}
      role="application"
      aria-label="Drawing area. Arrow keys move the pen, space lowers or lifts it, Delete clears."
      onKeyDown={onKeyDown}
      onBlur={() => {
        pen.value = undefined;
        isDown.value = false;
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        onChange([...strokes, [pointOf(event)]]);
      }}
      onPointerMove={(event) => {
        if (event.buttons !== 0 && strokes.length > 0) extend(pointOf(event));
      }}
    />
  );
}

function clamp(value: number): number {
  return Math.min(AREA - PEN / 2, Math.max(PEN / 2, value));
}

interface PointerPosition {
  readonly currentTarget: Element;
  readonly clientX: number;
  readonly clientY: number;
}

function pointOf({ currentTarget, clientX, clientY }: PointerPosition): Point {
  const box = currentTarget.getBoundingClientRect();
  return {
    x: ((clientX - box.left) / box.width) * AREA,
    y: ((clientY - box.top) / box.height) * AREA,
  };
}

function paint(
  canvas: HTMLCanvasElement | null,
  content: readonly (readonly Point[])[] | readonly number[],
  pen: Point | undefined,
  isDown: boolean,
): void {
  const context = canvas?.getContext('2d');
  if (!canvas || !context) return;
  context.clearRect(0, 0, AREA, AREA);
  context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
  if (isPixels(content)) paintPixels(context, content);
  else drawStrokes(context, content, PEN);
  if (!pen) return;
  context.beginPath();
  context.arc(pen.x, pen.y, PEN / 2, 0, 2 * Math.PI);
  context.lineWidth = isDown ? 6 : 2;
  context.stroke();
}

function isPixels(content: readonly (readonly Point[])[] | readonly number[]): content is readonly number[] {
  return typeof content[0] === 'number';
}

/** Paints an example as dots whose sizes show the ink. */
function paintPixels(context: CanvasRenderingContext2D, pixels: readonly number[]): void {
  const cell = AREA / SIDE;
  for (const [index, value] of pixels.entries()) {
    context.beginPath();
    const center = { x: ((index % SIDE) + 0.5) * cell, y: (Math.floor(index / SIDE) + 0.5) * cell };
    context.arc(center.x, center.y, (Math.sqrt(value / MAX_VALUE) * cell) / 2, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The 8 × 8 pixels, darker with more ink. */
function PixelView({ pixels }: { readonly pixels: readonly number[] }): JSX.Element {
  const drawn = pixels.filter((value) => value > 0).length;
  return (
    <svg
      class="pixels"
      viewBox={`0 0 ${SIDE} ${SIDE}`}
      role="img"
      aria-label={`8 by 8 pixels, ${drawn} with ink`}
    >
      {pixels.map((value, index) => (
        <rect
          key={index}
          x={index % SIDE}
          y={Math.floor(index / SIDE)}
          width="1.02"
          height="1.02"
          fill-opacity={value / MAX_VALUE}
        />
      ))}
    </svg>
  );
}
