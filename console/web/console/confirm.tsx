import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface ConfirmProps {
  readonly title: string;
  /** Text of the button that makes the change; undefined while there is nothing to change. */
  readonly action: string | undefined;
  readonly danger?: boolean;
  readonly children: ComponentChildren;
  /** Makes the change. @returns what came of it */
  readonly run: () => Promise<string>;
  readonly onClose: () => void;
}

/** A dialog that explains a change, makes it, and says what came of it. */
export function Confirm({ title, action, danger, children, run, onClose }: ConfirmProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const state = useSignal<'asking' | 'running' | 'done'>('asking');
  const result = useSignal('');
  useEffect(() => dialog.current?.showModal(), []);
  const start = async (): Promise<void> => {
    state.value = 'running';
    result.value = await run().catch((error: Error) => error.message);
    state.value = 'done';
  };
  return (
    <dialog ref={dialog} aria-labelledby="confirm-title" onClose={onClose}>
      <h2 id="confirm-title">{title}</h2>
      {state.value === 'done' ? <p role="status">{result.value}</p> : <div>{children}</div>}
      <div class="buttons">
        {action !== undefined && state.value !== 'done' && (
          <button
            type="button"
            class={danger ? 'danger' : 'primary'}
            disabled={state.value === 'running'}
            onClick={() => void start()}
          >
            {state.value === 'running' ? 'Working…' : action}
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          {state.value === 'done' || action === undefined ? 'Close' : 'Cancel'}
        </button>
      </div>
    </dialog>
  );
}
