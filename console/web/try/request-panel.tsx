import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { infer, type Answer } from './infer.js';
import { InputField } from './input-field.js';
import { bodyOf, fill, GENERATED, newId, pathOf, type InferBody, type RequestForm } from './request.js';
import { Result } from './result.js';
import { SnippetTabs } from './snippet-tabs.js';
import { exampleData } from './tensors.js';

/** A request as a form, its answer, and the same request as programs. */
export function RequestPanel({ form }: { readonly form: RequestForm }): JSX.Element {
  const answer = useSignal<Answer | undefined>(undefined);
  const problem = useSignal('');
  const isSending = useSignal(false);
  const send = async (): Promise<void> => {
    isSending.value = true;
    try {
      answer.value = await infer(pathOf(form), bodyOf(form, newId()));
      problem.value = '';
    } catch (error) {
      answer.value = undefined;
      problem.value = (error as Error).message;
    }
    isSending.value = false;
  };
  return (
    <>
      <section aria-labelledby="request-heading">
        <h2 id="request-heading">Request</h2>
        <Fields form={form} isSending={isSending.value} onSend={() => void send()} />
        <div aria-live="polite">
          {problem.value !== '' && <p class="problem">{problem.value}</p>}
          {answer.value && <Result answer={answer.value} outputs={form.signature.outputs} />}
        </div>
      </section>
      <Snippets form={form} />
    </>
  );
}

interface FieldsProps {
  readonly form: RequestForm;
  readonly isSending: boolean;
  readonly onSend: () => void;
}

function Fields({ form, isSending, onSend }: FieldsProps): JSX.Element {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSend();
      }}
    >
      {form.inputs.length === 0 && <p class="muted">The model takes no input.</p>}
      {form.inputs.map((input) => (
        <InputField key={input.tensor.name} form={input} />
      ))}
      <div class="buttons">
        <button type="submit" class="primary" disabled={isSending}>
          {isSending ? 'Sending…' : 'Send'}
        </button>
        <button type="button" onClick={() => resetAll(form)}>
          Example
        </button>
      </div>
    </form>
  );
}

function resetAll({ inputs }: RequestForm): void {
  for (const input of inputs) fill(input, exampleData(input.tensor), GENERATED);
}

/** The request as programs; the last valid one while the form is not. */
function Snippets({ form }: { readonly form: RequestForm }): JSX.Element {
  const body = useComputed<InferBody | string>(() => {
    try {
      return bodyOf(form);
    } catch (error) {
      return (error as Error).message;
    }
  });
  return (
    <section aria-labelledby="snippets-heading">
      <h2 id="snippets-heading">The same request as a program</h2>
      {typeof body.value === 'string' ? (
        <p class="problem">{body.value}</p>
      ) : (
        <SnippetTabs body={body.value} form={form} />
      )}
    </section>
  );
}
