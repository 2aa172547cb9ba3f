import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { BytesView, DeadLetterView as Letter } from '../../api/views.js';
import { formatBytes, formatCount, formatDateTime } from '../shared/format.js';
import { getJson } from '../shared/http.js';
import { Facts, Table } from '../shared/table.js';
import { LetterChange } from './letter-change.js';

const HEX_BYTES_PER_LINE = 16;

/** One dead letter: its cause, its headers, its bytes as text and in hexadecimal. */
export function DeadLetterView({ place }: { readonly place: readonly string[] }): JSX.Element {
  const letter = useSignal<Letter | undefined>(undefined);
  const problem = useSignal('');
  const path = place.map(encodeURIComponent).join('/');
  const load = (): void => {
    getJson<Letter>(`/console/api/dead-letters/${path}`).then(
      (found) => (letter.value = found),
      (error: Error) => (problem.value = error.message),
    );
  };
  useEffect(load, [path]);
  if (problem.value !== '') return <p class="notice bad">{problem.value}</p>;
  if (!letter.value) return <p class="waiting">Reading the record…</p>;
  return (
    <>
      <LetterFacts letter={letter.value} />
      {letter.value.state === 'open' && (
        <LetterChange selection={{ place: placeOf(letter.value) }} label="this letter" onDone={load} />
      )}
      <section>
        <h2>Value</h2>
        {letter.value.valueDropped !== null && <p>{letter.value.valueDropped}</p>}
        <Bytes label="Value" bytes={letter.value.value} />
      </section>
      <section>
        <h2>Key</h2>
        <Bytes label="Key" bytes={letter.value.keyBytes} />
      </section>
      <Headers letter={letter.value} />
    </>
  );
}

function placeOf({ topic, partition, offset }: Letter): { topic: string; partition: number; offset: number } {
  return { topic, partition, offset };
}

function LetterFacts({ letter }: { readonly letter: Letter }): JSX.Element {
  const { origin, reason, stage, message, at, state, replays } = letter;
  return (
    <>
      <p class="notice bad">
        <strong class="code">{reason ?? 'No reason'}</strong> {message}
      </p>
      <Facts
        facts={[
          ['State', state],
          ['Stage', stage ?? 'unknown'],
          ['Time', formatDateTime(at)],
          ['Replays', String(replays)],
          [
            'Original position',
            origin
              ? `${origin.topic}, partition ${origin.partition ?? '?'}, offset ${origin.offset ?? '?'}`
              : 'unknown',
          ],
        ]}
      />
    </>
  );
}

function Headers({ letter: { headers } }: { readonly letter: Letter }): JSX.Element {
  return (
    <section>
      <h2>Headers</h2>
      <Table
        caption="Headers"
        columns={[
          { title: 'Name', cell: ({ name }) => <span class="code">{name}</span> },
          {
            title: 'Value',
            cell: ({ value }) => (
              <span class="code">{value === null ? 'null' : (value.text ?? `0x${value.hex}`)}</span>
            ),
          },
          { title: 'Bytes', number: true, cell: ({ value }) => (value ? formatCount(value.bytes) : '') },
        ]}
        rows={headers.map((header, index) => ({ ...header, index }))}
        empty="The record has no headers."
        keyOf={({ index }) => index}
      />
    </section>
  );
}

/** Bytes as text where they are text, and in hexadecimal. */
function Bytes({ label, bytes }: { readonly label: string; readonly bytes: BytesView | null }): JSX.Element {
  if (bytes === null) return <p class="muted">null</p>;
  if (bytes.bytes === 0) return <p class="muted">empty</p>;
  return (
    <>
      <p class="muted">
        {formatBytes(bytes.bytes)}
        {bytes.cut && `; the first ${formatBytes(bytes.hex.length / 2)} are shown`}
      </p>
      {bytes.text !== null && (
        <pre tabIndex={0} aria-label={`${label} as text`} class="wrapped">
          {bytes.text}
        </pre>
      )}
      <details open={bytes.text === null}>
        <summary>Hexadecimal</summary>
        <pre tabIndex={0} aria-label={`${label} in hexadecimal`}>
          {hexLines(bytes.hex)}
        </pre>
      </details>
    </>
  );
}

/** Formats bytes like `hexdump -C`. */
function hexLines(hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  const lines: string[] = [];
  for (let start = 0; start < pairs.length; start += HEX_BYTES_PER_LINE) {
    const line = pairs.slice(start, start + HEX_BYTES_PER_LINE);
    const text = line.map((pair) => characterOf(parseInt(pair, 16))).join('');
    const offset = start.toString(16).padStart(8, '0');
    lines.push(`${offset}  ${line.join(' ').padEnd(HEX_BYTES_PER_LINE * 3)} ${text}`);
  }
  return lines.join('\n');
}

function characterOf(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
}
