import { computed, signal, untracked } from '@preact/signals';
import type { ModelView, SignatureView, VersionView } from '../../api/views.js';
import { live } from '../shared/live.js';
import { createForm, type RequestForm } from './request.js';

/** Choice in the address of the page: model, and version or signature if they are not the default. */
interface Choice {
  readonly model?: string | undefined;
  readonly version?: string | undefined;
  readonly signature?: string | undefined;
}

const chosen = signal<Choice>(readAddress());
addEventListener('popstate', () => (chosen.value = readAddress()));

function readAddress(): Choice {
  const parameters = new URLSearchParams(location.search);
  const read = (name: string): string | undefined => parameters.get(name) ?? undefined;
  return { model: read('model'), version: read('version'), signature: read('signature') };
}

export function choose(choice: Choice): void {
  const given = Object.entries(choice).filter((entry): entry is [string, string] => entry[1] !== undefined);
  history.pushState(null, '', `?${new URLSearchParams(given).toString()}`);
  chosen.value = choice;
}

/** A version that can be tried, with the signature that requests use. */
export interface Selected {
  readonly model: ModelView;
  readonly version: VersionView;
  readonly signature: SignatureView | undefined;
  readonly form: RequestForm | undefined;
}

/** Identity of what is chosen: the form is kept while it stays the same, whatever else nodes report. */
const key = computed(() => {
  const found = select();
  return found && JSON.stringify([found.model.name, found.version.version, found.signature]);
});
const form = computed(() => (key.value === undefined ? undefined : untracked(newForm)));

function newForm(): RequestForm | undefined {
  const found = select();
  if (!found?.signature) return undefined;
  const { model, version, signature } = found;
  const pinned = version !== newest(model);
  const named = signature !== version.signatures[0];
  return createForm(model.name, { version: version.version, pinned }, signature, named);
}

/** The chosen model: that of the address, otherwise the example, otherwise the first. */
export const selected = computed<Selected | undefined>(() => {
  const found = select();
  return found && { ...found, form: form.value };
});

function select(): Omit<Selected, 'form'> | undefined {
  const models = live.models.value ?? [];
  const { model: name, version: wanted, signature: named } = chosen.value;
  const model =
    name === undefined
      ? (models.find((one) => one.name === 'digits') ?? models.find((one) => newest(one)) ?? models[0])
      : models.find((one) => one.name === name);
  if (!model) return undefined;
  const version = model.versions.find((one) => one.version === wanted) ?? newest(model) ?? model.versions[0];
  if (!version) return undefined;
  const signature = version.signatures.find((one) => one.name === named) ?? version.signatures[0];
  return { model, version, signature };
}

/** True if the address names a model that no node reports. */
export const missing = computed(() => {
  const { model } = chosen.value;
  return live.models.value !== undefined && model !== undefined && !selected.value ? model : undefined;
});

/** Returns the version that answers requests without a version. */
export function newest({ versions }: ModelView): VersionView | undefined {
  return versions.find(({ state }) => state === 'AVAILABLE');
}
