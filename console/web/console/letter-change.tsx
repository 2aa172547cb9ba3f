import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { DeadLetterOutcome, DeadLetterSelection } from '../../api/views.js';
import { plural } from '../shared/format.js';
import { postJson } from '../shared/http.js';
import { live } from '../shared/live.js';
import { Confirm } from './confirm.js';

type Verb = 'replay' | 'drop';

const WORDS = {
  replay: { title: 'Replay dead letters', action: 'Replay', done: 'Replayed', to: 'to' },
  drop: { title: 'Drop dead letters', action: 'Drop', done: 'Dropped', to: 'from' },
} as const;

interface LetterChangeProps {
  readonly selection: DeadLetterSelection;
  /** Words for what is selected, as in "Replay all 12". */
  readonly label: string;
  readonly onDone: () => void;
}

/** Buttons that replay or drop the selected letters, each after a dry run; nothing in read-only mode. */
export function LetterChange({ selection, label, onDone }: LetterChangeProps): JSX.Element | null {
  const asked = useSignal<Verb | undefined>(undefined);
  if (live.cluster.value?.readOnly !== false) return null;
  const close = (): void => {
    asked.value = undefined;
    onDone();
  };
  return (
    <div class="buttons">
      <button type="button" onClick={() => (asked.value = 'replay')}>
        Replay {label}
      </button>
      <button type="button" class="danger" onClick={() => (asked.value = 'drop')}>
        Drop {label}
      </button>
      {asked.value && <ChangeDialog verb={asked.value} selection={selection} onClose={close} />}
    </div>
  );
}

interface ChangeDialogProps {
  readonly verb: Verb;
  readonly selection: DeadLetterSelection;
  readonly onClose: () => void;
}

function ChangeDialog({ verb, selection, onClose }: ChangeDialogProps): JSX.Element {
  const plan = useSignal<DeadLetterOutcome | string | undefined>(undefined);
  const change = (dryRun: boolean): Promise<DeadLetterOutcome> =>
    postJson(`/console/api/dead-letters/${verb}`, { ...selection, dryRun });
  useEffect(() => {
    change(true).then(
      (outcome) => (plan.value = outcome),
      (error: Error) => (plan.value = error.message),
    );
  }, []);
  const { title, action, done } = WORDS[verb];
  const planned = typeof plan.value === 'object' ? plan.value.done : 0;
  return (
    <Confirm
      title={title}
      action={planned > 0 ? `${action} ${plural(planned, 'letter')}` : undefined}
      danger={verb === 'drop'}
      run={async () => {
        const outcome = await change(false);
        const stopped = outcome.stopped === null ? '' : ` Stopped: ${outcome.stopped}`;
        return `${done} ${plural(outcome.done, 'letter')}.${stopped}`;
      }}
      onClose={onClose}
    >
      {plan.value === undefined ? (
        <p>Counting, without changing anything…</p>
      ) : typeof plan.value === 'string' ? (
        <p class="problem">{plan.value}</p>
      ) : (
        <Plan outcome={plan.value} verb={verb} />
      )}
    </Confirm>
  );
}

function Plan({ outcome, verb }: { readonly outcome: DeadLetterOutcome; readonly verb: Verb }): JSX.Element {
  const left = Object.entries(outcome.left);
  return (
    <>
      <p>{outcome.done === 0 ? 'No letter would change.' : 'A dry run found:'}</p>
      <ul>
        {Object.entries(outcome.byTopic).map(([topic, count]) => (
          <li key={topic}>
            {plural(count, 'letter')} {WORDS[verb].to} {topic}
          </li>
        ))}
        {left.map(([reason, count]) => (
          <li key={reason}>
            {plural(count, 'letter')} left: {reason}
          </li>
        ))}
      </ul>
      {verb === 'drop' && outcome.done > 0 && <p>Dropped letters cannot be replayed any more.</p>}
    </>
  );
}
