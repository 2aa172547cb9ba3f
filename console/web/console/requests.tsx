import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { RequestView as Found, StepView } from '../../api/views.js';
import { formatClock, formatDateTime, formatNumber } from '../shared/format.js';
import { getJson } from '../shared/http.js';
import { Table } from '../shared/table.js';
import { go, parameters, to } from './router.js';

const HOURS: readonly (readonly [string, string])[] = [
  ['1', 'last hour'],
  ['6', 'last 6 hours'],
  ['24', 'last day'],
  ['168', 'last week'],
];

/** Asks for an id. */
export function RequestsView(): JSX.Element {
  return (
    <>
      <p>Find one request across its topics and nodes, by its correlation id, request id or trace id.</p>
      <SearchForm id="" />
    </>
  );
}

function SearchForm({ id }: { readonly id: string }): JSX.Element {
  const text = useSignal(id);
  const hours = useSignal(parameters.value.get('hours') ?? '1');
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = text.value.trim();
        if (wanted !== '')
          go(`${to('requests', wanted)}${hours.value === '1' ? '' : `?hours=${hours.value}`}`);
      }}
    >
      <label class="wide">
        Id
        <input value={text.value} required onInput={(event) => (text.value = event.currentTarget.value)} />
      </label>
      <label>
        Time
        <select value={hours.value} onChange={(event) => (hours.value = event.currentTarget.value)}>
          {HOURS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary">
        Find
      </button>
    </form>
  );
}

/** The timeline of one request. */
export function RequestView({ id }: { readonly id: string }): JSX.Element {
  const found = useSignal<Found | undefined>(undefined);
  const problem = useSignal('');
  const hours = parameters.value.get('hours') ?? '1';
  useEffect(() => {
    const stop = new AbortController();
    found.value = undefined;
    problem.value = '';
    getJson<Found>(`/console/api/requests/${encodeURIComponent(id)}?hours=${hours}`, stop.signal).then(
      (view) => (found.value = view),
      (error: Error) => {
        if (!stop.signal.aborted) problem.value = error.message;
      },
    );
    return () => stop.abort();
  }, [id, hours]);
  return (
    <>
      <SearchForm key={`${id} ${hours}`} id={id} />
      {problem.value !== '' ? (
        <p class="notice bad">{problem.value}</p>
      ) : found.value ? (
        <Timeline found={found.value} />
      ) : (
        <p class="waiting" role="status">
          Searching the topics…
        </p>
      )}
    </>
  );
}

function Timeline({ found }: { readonly found: Found }): JSX.Element {
  const { steps, open, cut, topics, since } = found;
  const begin = steps[0]?.at ?? 0;
  const length = Math.max(1, (steps.at(-1)?.at ?? 0) - begin);
  if (steps.length === 0)
    return (
      <p class="notice">
        No record with this id since {formatDateTime(since)} on {topics.length} topics. A longer time may find
        it.
      </p>
    );
  return (
    <>
      <Table
        caption="Timeline"
        columns={[
          { title: 'What', cell: ({ what }) => what },
          { title: 'After', number: true, cell: ({ at }) => `${formatNumber(at - begin)} ms` },
          { title: 'Progress', cell: ({ at }) => <Mark share={(at - begin) / length} /> },
          { title: 'Where', cell: ({ where }) => where },
          { title: 'Details', cell: ({ details }) => details },
          { title: 'Time', number: true, cell: ({ at }) => formatClock(at) },
        ]}
        rows={steps.map((step, index) => ({ ...step, index }))}
        empty=""
        keyOf={({ index }: StepView & { readonly index: number }) => index}
      />
      {open.map((state) => (
        <p key={state} class="notice">
          {state}
        </p>
      ))}
      {cut && <p class="muted">There are more records than shown; a shorter time narrows the search.</p>}
    </>
  );
}

/** The position of a step between the first and the last one. */
function Mark({ share }: { readonly share: number }): JSX.Element {
  return (
    <span class="rail" aria-hidden="true">
      <span style={{ left: `${share * 100}%` }} />
    </span>
  );
}
