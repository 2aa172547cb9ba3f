import { invalidRequest } from '../../../schemas/errors.js';
import type { SignatureStatus } from '../../../schemas/generated.js';
import { DEFAULT_SIGNATURE, signatureOf, type ServedVersion } from '../../models/served-models.js';
import type { CallerModels } from '../../models/caller-models.js';
import { resolveVersion } from '../../tensorflow/resolve-version.js';

/** The model, the version or label, and the signature that a request names. */
export interface ModelSpec {
  readonly name: string;
  readonly version?: { readonly value: string } | null;
  readonly version_label?: string;
  readonly signature_name: string;
}

/** A model specification and the version that it names. */
export interface Resolved {
  readonly spec: ModelSpec;
  readonly served: ServedVersion;
}

/** Returns what a request names, without resolving it. @throws PartituraError INVALID_REQUEST if it names nothing */
export function requireSpec(spec: ModelSpec | null): ModelSpec {
  if (spec) return spec;
  throw invalidRequest('Missing ModelSpec');
}

/** Returns the parts of a specification. */
export function modelOf({ name, version, version_label: label }: ModelSpec): {
  readonly model: string;
  readonly version: string | undefined;
  readonly label: string | undefined;
} {
  return { model: name, version: version?.value, label: label === '' ? undefined : label };
}

/** Finds the version that a request names. @throws PartituraError with TensorFlow Serving's texts */
export function resolveSpec(models: CallerModels, spec: ModelSpec | null): Resolved {
  const required = requireSpec(spec);
  return { spec: required, served: resolveVersion(models, modelOf(required)) };
}

/** True if a request asks for a certain version, by number or label. */
export function isPinned(spec: ModelSpec): boolean {
  const { version, label } = modelOf(spec);
  return version !== undefined || label !== undefined;
}

/** Returns the signature that a request names. @throws the error that `unknown` creates if there is none */
export function signatureOfSpec(
  { spec, served }: Resolved,
  unknown: (name: string) => Error,
): SignatureStatus {
  try {
    return signatureOf(served, spec.signature_name);
  } catch {
    throw unknown(signatureName(spec));
  }
}

/** Returns the specification that a reply carries. @param version of the model that answered */
export function replySpec(spec: ModelSpec, version: string): object {
  return { name: spec.name, version: { value: version }, signature_name: signatureName(spec) };
}

function signatureName({ signature_name: name }: ModelSpec): string {
  return name === '' ? DEFAULT_SIGNATURE : name;
}
