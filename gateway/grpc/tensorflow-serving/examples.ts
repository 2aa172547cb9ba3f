import { invalidRequest } from '../../../schemas/errors.js';
import type { Example, Feature } from '../../tensorflow/example.js';

interface FeatureMessage {
  readonly kind?: 'bytes_list' | 'float_list' | 'int64_list';
  readonly bytes_list?: { readonly value: readonly Buffer[] };
  readonly float_list?: { readonly value: readonly number[] };
  readonly int64_list?: { readonly value: readonly string[] };
}

interface ExampleMessage {
  readonly features: { readonly feature: Readonly<Record<string, FeatureMessage>> } | null;
}

/** Examples, and a context whose features each of them has unless it has its own. */
export interface InputMessage {
  readonly example_list?: { readonly examples: readonly ExampleMessage[] } | null;
  readonly example_list_with_context?: {
    readonly examples: readonly ExampleMessage[];
    readonly context: ExampleMessage | null;
  } | null;
}

/** Reads the examples of a request. @throws PartituraError INVALID_REQUEST if there are none */
export function readExamples(input: InputMessage | null): Example[] {
  const list = input?.example_list_with_context ?? input?.example_list;
  const context = input?.example_list_with_context?.context;
  const shared = context ? readExample(context) : {};
  const examples = (list?.examples ?? []).map((example) => ({ ...shared, ...readExample(example) }));
  if (examples.length === 0) throw invalidRequest('Input is empty.');
  return examples;
}

function readExample({ features }: ExampleMessage): Example {
  return Object.fromEntries(
    Object.entries(features?.feature ?? {}).map(([name, feature]) => [name, readFeature(feature)]),
  );
}

function readFeature({ kind, bytes_list, float_list, int64_list }: FeatureMessage): Feature {
  switch (kind) {
    case 'bytes_list':
      return { bytesList: { value: bytes_list?.value ?? [] } };
    case 'float_list':
      return { floatList: { value: float_list?.value ?? [] } };
    case 'int64_list':
      return { int64List: { value: (int64_list?.value ?? []).map(BigInt) } };
    default:
      return {};
  }
}
