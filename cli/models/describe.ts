import type { ModelMeasurement, SignatureStatus, TensorStatus } from '../../schemas/generated.js';
import { oneLine } from '../../core/printable.js';
import { table } from '../output.js';
import { groupsOf, type ModelFacts, type VersionFacts, type VersionOnNode } from './facts.js';

const FIELD_WIDTH = 10;
const OPEN_DIMENSION = -1;
/** Labels shown; JSON output has all of them. */
const SHOWN_LABELS = 8;
const FORMATS: Readonly<Record<string, string>> = {
  saved_model: 'SavedModel',
  onnx: 'ONNX',
  graph_model: 'TensorFlow.js graph model',
  layers_model: 'TensorFlow.js layers model',
};

/** Formats everything that nodes report about a model. */
export function describeModel({ model, versions }: ModelFacts): string {
  return versions.map((version) => describeVersion(model, version)).join('\n\n');
}

function describeVersion(model: string, version: VersionFacts): string {
  const groups = groupsOf(version).map((nodes) => describeGroup(nodes));
  const { differences } = version;
  const warning = differences.length === 0 ? [] : [`  nodes differ in: ${differences.join(', ')}`];
  return [`${oneLine(model)} version ${oneLine(version.version)}`, ...warning, groups.join('\n\n')].join(
    '\n',
  );
}

/** Describes a version on nodes that agree on it. */
function describeGroup(nodes: readonly VersionOnNode[]): string {
  const [first] = nodes;
  if (!first) return '';
  const { state, message, format, runtime, filesHash, signatures, signaturesNote } = first;
  const delivery = deliveryText(first);
  return [
    field('nodes', nodes.map(({ node }) => node).join(', ')),
    field('state', message === null ? state : `${state}: ${message}`),
    ...(format === null ? [] : [field('format', FORMATS[format] ?? format)]),
    ...(runtime === null ? [] : [field('runtime', runtime)]),
    ...(delivery === '' ? [] : [field('delivery', delivery)]),
    ...(filesHash === null ? [] : [field('files', `sha256 ${filesHash}`)]),
    ...(signaturesNote === null ? [] : [field('note', `signatures: ${signaturesNote}`)]),
    ...signatures.map((signature, index) => describeSignature(signature, index, nodes)),
  ].join('\n');
}

/** Formats the delivery of requests, with the reason if it is not the configured one. */
export function deliveryText({
  delivery,
  deliveryNote,
}: Pick<VersionOnNode, 'delivery' | 'deliveryNote'>): string {
  return [delivery, deliveryNote].filter((text) => text !== null).join(': ');
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(FIELD_WIDTH)}${oneLine(value)}`;
}

function describeSignature(
  signature: SignatureStatus,
  index: number,
  nodes: readonly VersionOnNode[],
): string {
  const { name, problem, batching, inputs, outputs } = signature;
  const title = name === null ? 'signature' : `signature ${oneLine(name)}${index === 0 ? ' (default)' : ''}`;
  if (problem !== null) return `\n  ${title}\n${field('problem', `not served: ${problem}`)}`;
  const profiles = nodes.map((node) => {
    const profile = profileText(node.signatures[index]?.measured ?? null);
    return field('profile', nodes.length === 1 ? profile : `${node.node}: ${profile}`);
  });
  return [
    `\n  ${title}`,
    indented(tensorTable(inputs, outputs)),
    ...(batching ? [field('batching', `${batching.batchable ? 'yes' : 'no'}: ${batching.reason}`)] : []),
    ...profiles,
  ].join('\n');
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

function tensorTable(inputs: readonly TensorStatus[], outputs: readonly TensorStatus[]): string {
  const row =
    (role: string) =>
    (tensor: TensorStatus): string[] => [
      role,
      tensor.name,
      tensor.datatype,
      shapeText(tensor),
      labelsText(tensor),
    ];
  return table(
    ['', 'NAME', 'DATATYPE', 'SHAPE', 'LABELS'],
    [...inputs.map(row('input')), ...outputs.map(row('output'))],
  );
}

/** Formats a shape with the names of its open dimensions, `[batch, 64]`, or -1 if unnamed. */
export function shapeText({ shape, dimensionNames }: TensorStatus): string {
  if (shape.length === 0) return '[] (a scalar, or any shape)';
  const dimensions = shape.map((size, index) =>
    size === OPEN_DIMENSION ? dimensionNames[index] || String(OPEN_DIMENSION) : String(size),
  );
  return `[${dimensions.join(', ')}]`;
}

function labelsText({ labels, labelCount }: TensorStatus): string {
  const shown = labels.slice(0, SHOWN_LABELS);
  const more = labelCount - shown.length;
  if (more <= 0) return shown.join(', ');
  return shown.length === 0 ? `${labelCount} labels` : `${shown.join(', ')} and ${more} more`;
}

function profileText(measured: ModelMeasurement | null): string {
  if (!measured) return 'not profiled';
  const { microsAlone, bestBatchRows, microsPerRow, cores, threads, inline, threadsGain } = measured;
  const gain = threadsGain === null ? '' : ` (${threadsGain.toFixed(1)} × one)`;
  const each = cores === null ? '' : ` of ${counted(cores, 'core')}`;
  const where = inline ? 'in the event loop' : `on ${counted(threads, 'thread')}${each}${gain}`;
  return `${microsAlone} µs for one row, ${microsPerRow.toFixed(2)} µs a row in the best batch of ${bestBatchRows}, ${where}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
