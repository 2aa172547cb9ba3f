import { useSignal, type Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { DeadLetterRow, DeadLetterSelection, DeadLettersView as Letters } from '../../api/views.js';
import { formatCount, formatDateTime } from '../shared/format.js';
import { getJson } from '../shared/http.js';
import { live, paused } from '../shared/live.js';
import { Table, type Column } from '../shared/table.js';
import { LetterChange } from './letter-change.js';
import { go, parameters, to } from './router.js';

const COLUMNS: readonly Column<DeadLetterRow>[] = [
  {
    title: 'Time',
    cell: ({ topic, partition, offset, at }) => (
      <a href={to('dead-letters', topic, partition, offset)}>{formatDateTime(at)}</a>
    ),
  },
  { title: 'Reason', cell: ({ reason }) => <span class="code once">{reason ?? 'none'}</span> },
  { title: 'Message', cell: ({ message }) => <span class="clip">{message}</span> },
  { title: 'Key', cell: ({ key }) => <span class="once">{key}</span> },
  { title: 'State', cell: ({ state }) => state },
  { title: 'Replays', number: true, cell: ({ replays }) => replays },
  { title: 'Topic', cell: ({ topic }) => topic },
  { title: 'Partition', number: true, cell: ({ partition }) => partition },
  { title: 'Offset', number: true, cell: ({ offset }) => formatCount(offset) },
];

/** Dead letters, filtered by the address, with replay and drop of all that the filter selects. */
export function DeadLettersView(): JSX.Element {
  const letters = useSignal<Letters | undefined>(undefined);
  const problem = useSignal('');
  const load = useLetters(letters, problem);
  const shown = letters.value;
  return (
    <>
      <Filter letters={shown} />
      {problem.value !== '' && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      {shown && <Summary letters={shown} onDone={load} />}
      <Table
        caption="Dead letters"
        columns={COLUMNS}
        rows={shown?.letters}
        empty="No dead letters match. Everything that arrived has been answered, replayed or dropped."
        keyOf={({ topic, partition, offset }) => `${topic}/${partition}/${offset}`}
      />
    </>
  );
}

/** Loads the list when its filter changes and when letters arrive. @returns a function that loads it again */
function useLetters(letters: Signal<Letters | undefined>, problem: Signal<string>): () => void {
  const query = parameters.value.toString();
  const ends = endOfLetters();
  const load = (): void => {
    getJson<Letters>(`/console/api/dead-letters?${query}`).then(
      (found) => {
        letters.value = found;
        problem.value = '';
      },
      (error: Error) => (problem.value = error.message),
    );
  };
  useEffect(() => {
    if (!paused.peek()) load();
  }, [query, ends]);
  return load;
}

/** A number that changes when a dead letter arrives. */
function endOfLetters(): number {
  return (live.topics.value ?? [])
    .filter(({ role }) => role === 'dead letters')
    .flatMap(({ partitions }) => partitions)
    .reduce((sum, { end }) => sum + end, 0);
}

function Filter({ letters }: { readonly letters: Letters | undefined }): JSX.Element {
  return (
    <div class="filter" role="group" aria-label="Filter">
      <Select name="topic" label="Topic" known={letters?.topics ?? []} />
      <Select name="reason" label="Reason" known={Object.keys(letters?.byReason ?? {})} />
      <Select name="stage" label="Stage" known={['decode', 'validate', 'model', 'reply']} />
      <label>
        Key
        <input value={chosen('key')} onChange={(event) => set('key', event.currentTarget.value)} />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={chosen('all') === 'true'}
          onChange={(event) => set('all', event.currentTarget.checked ? 'true' : '')}
        />
        Replayed and dropped, too
      </label>
    </div>
  );
}

function chosen(name: string): string {
  return parameters.value.get(name) ?? '';
}

/** Changes a parameter of the address. @param value empty to remove it */
function set(name: string, value: string): void {
  const next = new URLSearchParams(parameters.value);
  if (value === '') next.delete(name);
  else next.set(name, value);
  const query = next.toString();
  go(`${to('dead-letters')}${query === '' ? '' : `?${query}`}`, true);
}

interface SelectProps {
  readonly name: string;
  readonly label: string;
  readonly known: readonly string[];
}

function Select({ name, label, known }: SelectProps): JSX.Element {
  const options = [...new Set([...known, chosen(name)])].filter((one) => one !== '');
  return (
    <label>
      {label}
      <select value={chosen(name)} onChange={(event) => set(name, event.currentTarget.value)}>
        <option value="">any</option>
        {options.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}

function Summary({
  letters,
  onDone,
}: {
  readonly letters: Letters;
  readonly onDone: () => void;
}): JSX.Element {
  const { total, byReason, letters: rows } = letters;
  const given = [...parameters.value].filter(([name]) => name !== 'all');
  const selection = Object.fromEntries(given) as DeadLetterSelection;
  return (
    <div class="summary">
      <p>
        <strong>{formatCount(total)}</strong> {total === 1 ? 'letter' : 'letters'}
        {total > 0 && ': '}
        {Object.entries(byReason)
          .map(([reason, count]) => `${reason} ${formatCount(count)}`)
          .join(', ')}
        {total > rows.length && `; the newest ${formatCount(rows.length)} are shown`}
      </p>
      {rows.some(({ state }) => state === 'open') && (
        <LetterChange
          selection={selection}
          label={given.length > 0 ? 'all that match' : 'all'}
          onDone={onDone}
        />
      )}
    </div>
  );
}
