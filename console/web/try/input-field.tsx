import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { formatShape } from '../shared/format.js';
import { imageLayout, PIXEL_RANGES, readImage, readJsonFile, usualRange, type PixelRange } from './files.js';
import { fill, GENERATED, type InputForm } from './request.js';
import { exampleData } from './tensors.js';

/** One input of a request: JSON to edit, or a file dropped on it. */
export function InputField({ form }: { readonly form: InputForm }): JSX.Element {
  const { tensor, text, attached } = form;
  const problem = useSignal('');
  const range = useSignal<PixelRange>(usualRange(tensor));
  const id = `input-${tensor.name}`;
  const accept = async (file: File | undefined): Promise<void> => {
    if (file) problem.value = await take(file, form, range.value);
  };
  return (
    <DropZone onFile={accept}>
      <label for={id}>
        {tensor.name} <span class="muted">{`${tensor.datatype} ${formatShape(tensor.shape)}`}</span>
      </label>
      <Labels labels={tensor.labels} />
      {attached.value ? (
        <Attached form={form} />
      ) : (
        <textarea
          id={id}
          rows={Math.min(8, text.value.split('\n').length + 1)}
          spellcheck={false}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      )}
      <FileRow form={form} range={range.value} onRange={(chosen) => (range.value = chosen)} onFile={accept} />
      {problem.value !== '' && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </DropZone>
  );
}

interface DropZoneProps {
  readonly children: ComponentChildren;
  readonly onFile: (file: File | undefined) => Promise<void>;
}

function DropZone({ children, onFile }: DropZoneProps): JSX.Element {
  const isOver = useSignal(false);
  return (
    <div
      class={isOver.value ? 'field over' : 'field'}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => (isOver.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        void onFile(event.dataTransfer?.files[0]);
      }}
    >
      {children}
    </div>
  );
}

/** Reads a file into an input. @returns the reason why it could not be read; empty if it was */
async function take(file: File, form: InputForm, range: PixelRange): Promise<string> {
  const layout = imageLayout(form.tensor);
  try {
    const isImage = layout !== undefined && file.type.startsWith('image/');
    const input = isImage
      ? await readImage(file, form.tensor, layout, range)
      : await readJsonFile(file, form.tensor);
    fill(form, input, file.name);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

function Attached({ form }: { readonly form: InputForm }): JSX.Element {
  const { tensor, attached } = form;
  const { label, input } = attached.value ?? { label: '', input: { shape: [], data: [] } };
  return (
    <p class="attached" id={`input-${tensor.name}`}>
      <span>
        {label} <span class="muted">{formatShape(input.shape)}</span>
      </span>
      {label !== GENERATED && (
        <button type="button" class="small" onClick={() => fill(form, exampleData(tensor), GENERATED)}>
          Remove
        </button>
      )}
    </p>
  );
}

function Labels({ labels }: { readonly labels: readonly string[] }): JSX.Element | null {
  if (labels.length === 0) return null;
  return <p class="muted columns">Columns: {labels.join(', ')}</p>;
}

interface FileRowProps {
  readonly form: InputForm;
  readonly range: PixelRange;
  readonly onRange: (range: PixelRange) => void;
  readonly onFile: (file: File | undefined) => Promise<void>;
}

function FileRow({ form: { tensor }, range, onRange, onFile }: FileRowProps): JSX.Element {
  const layout = imageLayout(tensor);
  const kinds = layout
    ? 'Drop a JSON file or an image here, or choose one'
    : 'Drop a JSON file here, or choose one';
  return (
    <div class="files">
      <label class="file">
        {kinds}
        <input
          type="file"
          accept={layout ? 'application/json,.json,image/*' : 'application/json,.json'}
          onChange={(event) => {
            void onFile(event.currentTarget.files?.[0]);
            event.currentTarget.value = '';
          }}
        />
      </label>
      {layout && (
        <label>
          Pixel values{' '}
          <select
            value={range.label}
            onChange={(event) =>
              onRange(PIXEL_RANGES.find(({ label }) => label === event.currentTarget.value) ?? range)
            }
          >
            {PIXEL_RANGES.map(({ label }) => (
              <option key={label}>{label}</option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
