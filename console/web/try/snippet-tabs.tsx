import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Copyable } from '../shared/copyable.js';
import { live } from '../shared/live.js';
import { pathOf, type InferBody, type RequestForm } from './request.js';
import { needsFile, REQUEST_FILE, snippetsOf } from './snippets.js';

/** Language that is shown, for all models. */
const language = signal('curl');

interface SnippetTabsProps {
  readonly body: InferBody;
  readonly form: RequestForm;
}

/** The request in one language at a time. */
export function SnippetTabs({ body, form }: SnippetTabsProps): JSX.Element {
  const snippets = snippetsOf(body, {
    origin: location.origin,
    path: pathOf(form),
    model: form.model,
    brokers: live.cluster.value?.brokers ?? [],
    prefix: live.cluster.value?.prefix ?? 'partitura',
    isSecured: live.cluster.value?.secured ?? false,
  });
  const shown = snippets.find((one) => one.language === language.value) ?? snippets[0];
  return (
    <>
      <Tabs languages={snippets.map((one) => one.language)} />
      <div id="snippet" role="tabpanel" aria-labelledby={`tab-${language.value}`}>
        {needsFile(body) && <Download body={body} />}
        {shown && <Copyable text={shown.text} label={`${shown.language} program`} />}
      </div>
    </>
  );
}

/** Languages to choose; arrow keys move between them. */
function Tabs({ languages }: { readonly languages: readonly string[] }): JSX.Element {
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const index = (languages.indexOf(language.value) + step + languages.length) % languages.length;
    language.value = languages[index] ?? 'curl';
    document.getElementById(`tab-${language.value}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Language" onKeyDown={move}>
      {languages.map((name) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          role="tab"
          aria-selected={name === language.value}
          aria-controls="snippet"
          tabIndex={name === language.value ? 0 : -1}
          onClick={() => (language.value = name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

/** A link to the request as a file. */
function Download({ body }: { readonly body: InferBody }): JSX.Element {
  const [url, setUrl] = useState('');
  useEffect(() => {
    const created = URL.createObjectURL(new Blob([JSON.stringify(body)], { type: 'application/json' }));
    setUrl(created);
    return () => URL.revokeObjectURL(created);
  }, [body]);
  return (
    <p>
      The request is long; the program reads it from{' '}
      <a href={url} download={REQUEST_FILE}>
        {REQUEST_FILE}
      </a>
      .
    </p>
  );
}
