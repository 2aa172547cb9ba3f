import { useSignal, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { drawStrokes, exampleDigit, MAX_VALUE, SIDE, toPixels, type Point } from './digits.js';

/** Side of the drawing area in its own units; CSS scales it. */
const AREA = 256;
const PEN = 20;
/** Step of the pen for an arrow key. */
const STEP = AREA / 24;
const PEN_START: Point = { x: AREA / 2, y: AREA / 4 };
const DIRECTIONS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -STEP, y: 0 },
  ArrowRight: { x: STEP, y: 0 },
  ArrowUp: { x: 0, y: -STEP },
  ArrowDown: { x: 0, y: STEP },
};

interface DrawingProps {
  /** The pixels as the model gets them. */
  readonly pixels: readonly number[];
  readonly onDraw: (pixels: number[]) => void;
}

/** An area to draw a digit, the pixels that it becomes, and digits to click. */
export function Drawing({ pixels, onDraw }: DrawingProps): JSX.Element {
  const strokes = useSignal<Strokes>([]);
  const scratch = useRef<HTMLCanvasElement | null>(null);
  const change = (next: Strokes): void => {
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
          <Pad strokes={strokes} pixels={pixels} onChange={change} />
          <figcaption>Draw a digit</figcaption>
        </figure>
        <figure>
          <PixelView pixels={pixels} />
          <figcaption>As the model sees it</figcaption>
        </figure>
      </div>
      <Examples onChoose={choose} onClear={() => change([])} />
    </div>
  );
}

interface ExamplesProps {
  readonly onChoose: (digit: number) => void;
  readonly onClear: () => void;
}

function Examples({ onChoose, onClear }: ExamplesProps): JSX.Element {
  return (
    <div class="examples" role="group" aria-label="Examples">
      {Array.from({ length: 10 }, (_, digit) => (
        <button
          key={digit}
          type="button"
          class="small"
          onClick={() => onChoose(digit)}
          aria-label={`Example ${digit}`}
        >
          {digit}
        </button>
      ))}
      <button type="button" class="small" onClick={onClear}>
        Clear
      </button>
    </div>
  );
}

interface PadProps {
  /** A signal, since several events may come before the next rendering: each continues what the last one drew. */
  readonly strokes: ReadonlySignal<Strokes>;
  /** Shown while there are no strokes: an example. */
  readonly pixels: readonly number[];
  readonly onChange: (strokes: Strokes) => void;
}

/** The drawing area: mouse, finger or pen; with the keyboard, arrows move the pen and space lowers or lifts it. */
function Pad({ strokes, pixels, onChange }: PadProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { pen, isDown, onKeyDown, lift } = useKeyboardPen(strokes, onChange);
  const drawn = strokes.value;
  useEffect(() => paint(canvas.current, drawn.length > 0 ? drawn : pixels, pen, isDown));
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
      onBlur={lift}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        onChange([...strokes.peek(), [pointOf(event)]]);
      }}
      onPointerMove={(event) => {
        const before = strokes.peek();
        if (event.buttons !== 0 && before.length > 0) onChange(extended(before, pointOf(event)));
      }}
    />
  );
}

type Strokes = readonly (readonly Point[])[];

/** Adds a point to the last stroke. */
function extended(strokes: Strokes, point: Point): Strokes {
  return [...strokes.slice(0, -1), [...(strokes.at(-1) ?? []), point]];
}

interface KeyboardPen {
  /** Undefined while the keyboard does not draw. */
  readonly pen: Point | undefined;
  readonly isDown: boolean;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly lift: () => void;
}

function useKeyboardPen(strokes: ReadonlySignal<Strokes>, onChange: PadProps['onChange']): KeyboardPen {
  const pen = useSignal<Point | undefined>(undefined);
  const isDown = useSignal(false);
  const move = (direction: Point): void => {
    const { x, y } = pen.value ?? PEN_START;
    pen.value = { x: clamp(x + direction.x), y: clamp(y + direction.y) };
    if (isDown.value) onChange(extended(strokes.peek(), pen.value));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const direction = DIRECTIONS[event.key];
    if (!direction && event.key !== ' ' && event.key !== 'Delete') return;
    event.preventDefault();
    if (direction) return move(direction);
    if (event.key === 'Delete') return onChange([]);
    pen.value ??= PEN_START;
    isDown.value = !isDown.value;
    if (isDown.value) onChange([...strokes.peek(), [pen.value]]);
  };
  const lift = (): void => {
    pen.value = undefined;
    isDown.value = false;
  };
  return { pen: pen.value, isDown: isDown.value, onKeyDown, lift };
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
  content: Strokes | readonly number[],
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

function isPixels(content: Strokes | readonly number[]): content is readonly number[] {
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
