import type { JSX, RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import type { TrafficPoint } from '../../api/views.js';
import { formatNumber, formatTime } from '../shared/format.js';
import { live } from '../shared/live.js';
import { Table } from '../shared/table.js';

const HEIGHT = 180;
const TABLE_ROWS = 30;
const SHOWN_SECONDS = 300;

/** A line of a plot. */
export interface Series {
  readonly label: string;
  /** CSS variable of its color. */
  readonly color: string;
  readonly valueOf: (point: TrafficPoint) => number | null;
}

interface PlotProps {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}

/** Live lines over the last five minutes, and the same values as a table. */
export function Plot({ title, unit, series }: PlotProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const points = live.points.value;
  usePlot(box, unit, series);
  return (
    <figure class="plot">
      <figcaption>
        <h2>
          {title} <span class="muted">{unit}</span>
        </h2>
        <Legend series={series} last={points.at(-1)} />
      </figcaption>
      <div ref={box} class="canvas" aria-hidden="true" />
      <AsTable title={title} series={series} points={points} />
    </figure>
  );
}

/** Draws the lines into an element, and again when its width or the color scheme changes. */
function usePlot(box: RefObject<HTMLDivElement | null>, unit: string, series: readonly Series[]): void {
  const plot = useRef<uPlot>(undefined);
  const points = live.points.value;
  useEffect(() => {
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    let isGone = false;
    const draw = async (): Promise<void> => {
      const { default: Library } = await import('uplot');
      if (isGone || !box.current) return;
      plot.current?.destroy();
      const data = dataOf(live.points.peek(), series);
      plot.current = new Library(optionsOf(box.current, unit, series), data, box.current);
    };
    const redraw = (): void => void draw();
    const resize = new ResizeObserver(() => {
      if (box.current) plot.current?.setSize({ width: box.current.clientWidth, height: HEIGHT });
    });
    redraw();
    scheme.addEventListener('change', redraw);
    if (box.current) resize.observe(box.current);
    return () => {
      isGone = true;
      scheme.removeEventListener('change', redraw);
      resize.disconnect();
      plot.current?.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(points, series)), [points]);
}

function Legend({
  series,
  last,
}: {
  readonly series: readonly Series[];
  readonly last: TrafficPoint | undefined;
}): JSX.Element {
  return (
    <ul class="legend">
      {series.map(({ label, color, valueOf }) => (
        <li key={label}>
          <span class="swatch" style={{ background: `var(${color})` }} aria-hidden="true" />
          {label} <strong>{last ? valueText(valueOf(last)) : '–'}</strong>
        </li>
      ))}
    </ul>
  );
}

function AsTable({
  title,
  series,
  points,
}: {
  readonly title: string;
  readonly series: readonly Series[];
  readonly points: readonly TrafficPoint[];
}): JSX.Element {
  return (
    <details>
      <summary>{title} as a table</summary>
      <Table
        caption={`${title}, newest first`}
        columns={[
          { title: 'Time', cell: ({ at }: TrafficPoint) => formatTime(at) },
          ...series.map(({ label, valueOf }) => ({
            title: label,
            number: true,
            cell: (point: TrafficPoint) => valueText(valueOf(point)),
          })),
        ]}
        rows={points.slice(-TABLE_ROWS).reverse()}
        empty="No values yet."
        keyOf={({ at }) => at}
      />
    </details>
  );
}

function valueText(value: number | null): string {
  return value === null ? '–' : formatNumber(value);
}

function dataOf(points: readonly TrafficPoint[], series: readonly Series[]): uPlot.AlignedData {
  return [
    points.map(({ at }) => at / 1_000),
    ...series.map(({ valueOf }) => points.map(valueOf)),
  ] as uPlot.AlignedData;
}

/** Returns the value of a CSS variable as a canvas understands it. */
function colorOf(box: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf(box: HTMLElement, unit: string, series: readonly Series[]): uPlot.Options {
  const grid = { stroke: colorOf(box, '--grid'), width: 1 };
  const axis = { stroke: colorOf(box, '--soft'), grid, ticks: { show: false } };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_plot, _min, max) => [max - SHOWN_SECONDS, max] },
      y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, 1)] },
    },
    axes: [
      {
        ...axis,
        values: (_plot, times) => times.map((time) => formatTime(time * 1_000)),
        space: 90,
        size: 30,
      },
      { ...axis, values: (_plot, values) => values.map(formatNumber), size: 48 },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: `${one.label} ${unit}`,
        stroke: colorOf(box, one.color),
        width: 2,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}
