import type { ComponentChildren, JSX } from 'preact';

/** A column: its heading, and the content of its cells. */
export interface Column<Row> {
  readonly title: string;
  /** True for numbers, which are aligned right. */
  readonly number?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  /** Describes the table to screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  /** Undefined while nothing has arrived. */
  readonly rows: readonly Row[] | undefined;
  readonly empty: string;
  readonly keyOf: (row: Row) => string | number;
  /** Class of a row. */
  readonly toneOf?: (row: Row) => string;
}

/** A table; the first cell of each row names it. On narrow screens it scrolls in its own box. */
export function Table<Row>({ caption, columns, rows, empty, keyOf, toneOf }: TableProps<Row>): JSX.Element {
  if (rows === undefined) return <p class="waiting">Waiting for data…</p>;
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="data">
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, number }) => (
              <th key={title} scope="col" class={number ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={toneOf?.(row) ?? ''}>
              {columns.map(({ title, number, cell }, index) =>
                index === 0 ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} class={number ? 'number' : ''}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A list of names and values. */
export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [string, ComponentChildren])[];
}): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const TONES: Readonly<Record<string, string>> = {
  AVAILABLE: 'good',
  READY: 'good',
  RUNNING: 'good',
  QUEUED: 'warn',
  DONE: 'good',
  CANCELLED: 'warn',
  FAILED: 'bad',
  silent: 'bad',
  STARTING: 'warn',
  LOADING: 'warn',
  DRAINING: 'warn',
  UNLOADING: 'warn',
  WAITING: 'warn',
};

/** A state as a word with a mark. */
export function State({ name }: { readonly name: string }): JSX.Element {
  return (
    <span class={`state ${TONES[name] ?? ''}`}>
      <span class="dot" aria-hidden="true" />
      {name.toLowerCase()}
    </span>
  );
}
