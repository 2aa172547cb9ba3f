import {
  contentsOf,
  field,
  fieldsOf,
  numberField,
  textsIn,
  wholeNumbersIn,
  type Field,
} from '../protobuf-edit.js';

/**
 * Field numbers of the edited messages.
 * Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const MODEL = { graph: 7, opsetImport: 8 };
const OPSET = { domain: 1, version: 2 };
const GRAPH = { node: 1, output: 12 };
const NODE = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, ints: 8, strings: 9 };
const VALUE = { name: 1, type: 2 };
const TYPE = { tensor: 1 };
const TENSOR = { elementType: 1, shape: 2 };
const SHAPE = { dimension: 1 };
const DIMENSION = { value: 1, parameter: 2 };
const FLOAT = 1;
/** Includes `Identity` and is supported by every current ONNX Runtime. */
const OPSET_VERSION = 13;
const ML_DOMAIN = 'ai.onnx.ml';

/** A model without its ZipMap operators. */
export interface Unzipped {
  readonly model: Uint8Array;
  /** Column labels of each output that was a sequence of maps, by output name. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

interface ZipMap {
  readonly input: string;
  readonly output: string;
  readonly labels: readonly string[];
}

/**
 * Replaces each ZipMap operator that produces a model output with its input: the probabilities as a tensor `[N, classes]`
 * under the same name. The converters of scikit-learn and LightGBM append ZipMap by default; its result, a sequence of maps,
 * is not a tensor. Source: https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html
 * @returns undefined if there is none
 */
export function withoutZipMap(model: Uint8Array): Unzipped | undefined {
  const fields = fieldsOf(model);
  const [graphBytes] = contentsOf(fields, MODEL.graph);
  if (!graphBytes) return undefined;
  const graph = fieldsOf(graphBytes);
  const outputs = new Set(contentsOf(graph, GRAPH.output).map(valueName));
  const zipMaps = contentsOf(graph, GRAPH.node)
    .flatMap((node) => zipMapOf(node) ?? [])
    .filter(({ output }) => outputs.has(output));
  if (zipMaps.length === 0) return undefined;
  const byOutput = new Map(zipMaps.map((zipMap) => [zipMap.output, zipMap]));
  const edited = field(MODEL.graph, Buffer.concat(graph.map((one) => editGraphField(one, byOutput))));
  const rest = fields.map((one) => (one.number === MODEL.graph ? edited : one.bytes));
  return {
    model: Buffer.concat([...rest, ...missingOpset(fields)]),
    labels: new Map(zipMaps.map(({ output, labels }) => [output, labels])),
  };
}

function zipMapOf(node: Uint8Array): ZipMap | undefined {
  const fields = fieldsOf(node);
  const isZipMap =
    textsIn(fields, NODE.opType)[0] === 'ZipMap' && textsIn(fields, NODE.domain)[0] === ML_DOMAIN;
  const [input] = textsIn(fields, NODE.input);
  const [output] = textsIn(fields, NODE.output);
  if (!isZipMap || input === undefined || output === undefined) return undefined;
  const labels = contentsOf(fields, NODE.attribute).flatMap(labelsIn);
  return { input, output, labels };
}

/** Reads class labels, which are integers or strings. */
function labelsIn(attribute: Uint8Array): string[] {
  const fields = fieldsOf(attribute);
  switch (textsIn(fields, ATTRIBUTE.name)[0]) {
    case 'classlabels_int64s':
      return wholeNumbersIn(fields, ATTRIBUTE.ints).map(String);
    case 'classlabels_strings':
      return textsIn(fields, ATTRIBUTE.strings);
    default:
      return [];
  }
}

function editGraphField({ number, bytes, content }: Field, zipMaps: ReadonlyMap<string, ZipMap>): Uint8Array {
  if (!content) return bytes;
  if (number === GRAPH.node) {
    const zipMap = zipMapOf(content);
    return zipMap && zipMaps.has(zipMap.output) ? field(GRAPH.node, identity(zipMap)) : bytes;
  }
  const zipMap = number === GRAPH.output ? zipMaps.get(valueName(content)) : undefined;
  return zipMap ? field(GRAPH.output, probabilities(zipMap)) : bytes;
}

function identity({ input, output }: ZipMap): Uint8Array {
  return Buffer.concat([
    field(NODE.input, input),
    field(NODE.output, output),
    field(NODE.opType, 'Identity'),
  ]);
}

function probabilities({ output, labels }: ZipMap): Uint8Array {
  const rows = field(SHAPE.dimension, field(DIMENSION.parameter, 'N'));
  const classes = field(SHAPE.dimension, numberField(DIMENSION.value, labels.length));
  const tensor = Buffer.concat([
    numberField(TENSOR.elementType, FLOAT),
    field(TENSOR.shape, Buffer.concat([rows, classes])),
  ]);
  return Buffer.concat([field(VALUE.name, output), field(VALUE.type, field(TYPE.tensor, tensor))]);
}

function valueName(value: Uint8Array): string {
  return textsIn(fieldsOf(value), VALUE.name)[0] ?? '';
}

/** Returns the import of `Identity`'s domain, which a model with only `ai.onnx.ml` operators lacks. */
function missingOpset(model: readonly Field[]): Uint8Array[] {
  const domains = contentsOf(model, MODEL.opsetImport).map(
    (opset) => textsIn(fieldsOf(opset), OPSET.domain)[0] ?? '',
  );
  if (domains.some((domain) => domain === '' || domain === 'ai.onnx')) return [];
  return [
    field(
      MODEL.opsetImport,
      Buffer.concat([field(OPSET.domain, ''), numberField(OPSET.version, OPSET_VERSION)]),
    ),
  ];
}
