import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';

const SHOWN_MS = 2_000;

/** A block of text with a copy button. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }): JSX.Element {
  const copied = useSignal('');
  const copy = async (): Promise<void> => {
    copied.value = (await copyText(text)) ? 'Copied' : 'Select the text and copy it';
    setTimeout(() => (copied.value = ''), SHOWN_MS);
  };
  return (
    <div class="copyable">
      <button type="button" class="small" onClick={() => void copy()}>
        Copy<span class="hidden"> {label}</span>
      </button>
      <span class="copied" role="status">
        {copied}
      </span>
      <pre tabIndex={0} aria-label={label}>
        <code>{text}</code>
      </pre>
    </div>
  );
}

/** Copies text; browsers allow it on HTTPS and loopback only. @returns false if it was not allowed */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
