import { signal, type Signal } from '@preact/signals';
import type { SignatureView, TensorView } from '../../api/views.js';
import { exampleData, nest, parseInput, writeNested, type Element, type InputData } from './tensors.js';

/** Elements above which an input is kept as data instead of text, which no field could show. */
const MAX_TEXT_ELEMENTS = 4_096;

/** Label of an attachment that nobody has chosen. */
export const GENERATED = 'generated example';

/** The content of one input: text that a person edits, or data from a file. */
export interface InputForm {
  readonly tensor: TensorView;
  readonly text: Signal<string>;
  readonly attached: Signal<Attachment | undefined>;
}

export interface Attachment {
  readonly label: string;
  readonly input: InputData;
}

/** A request being edited. */
export interface RequestForm {
  readonly model: string;
  readonly version: string;
  /** True if requests name the version, because it is not the newest available one. */
  readonly pinned: boolean;
  readonly signature: SignatureView;
  /** True if requests name the signature, because it is not the default. */
  readonly named: boolean;
  readonly inputs: readonly InputForm[];
}

/** Body of a request in the Open Inference Protocol. */
export interface InferBody {
  readonly id?: string;
  readonly parameters?: { readonly signature: string };
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data: readonly Element[];
  }[];
}

/** Creates a form with a valid example in each input. */
export function createForm(
  model: string,
  { version, pinned }: { readonly version: string; readonly pinned: boolean },
  signature: SignatureView,
  named: boolean,
): RequestForm {
  const inputs = signature.inputs.map((tensor) => {
    const form = { tensor, text: signal(''), attached: signal<Attachment | undefined>(undefined) };
    fill(form, exampleData(tensor), GENERATED);
    return form;
  });
  return { model, version, pinned, signature, named, inputs };
}

/** Puts data into an input: as text if people can read it, otherwise as an attachment. */
export function fill({ text, attached }: InputForm, input: InputData, label: string): void {
  const isReadable = input.data.length <= MAX_TEXT_ELEMENTS;
  text.value = isReadable ? writeNested(nest(input)) : '';
  attached.value = isReadable ? undefined : { label, input };
}

/** Builds the request. @throws Error that names the input */
export function bodyOf({ inputs, signature, named }: RequestForm, id?: string): InferBody {
  return {
    ...(id !== undefined && { id }),
    ...(named && signature.name !== null && { parameters: { signature: signature.name } }),
    inputs: inputs.map(({ tensor, text, attached }) => {
      const { shape, data } = attached.value?.input ?? parseInput(tensor, text.value);
      return { name: tensor.name, datatype: tensor.datatype, shape, data };
    }),
  };
}

/** Returns the path of the request on the gateway. */
export function pathOf({ model, version, pinned }: RequestForm): string {
  return `/v2/models/${encodeURIComponent(model)}${pinned ? `/versions/${version}` : ''}/infer`;
}

/** Returns a random id; `crypto.randomUUID` exists on HTTPS and loopback only. */
export function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
