import type { KnownNode } from '../../cluster/node-directory.js';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelVersionStatus } from '../../schemas/generated.js';

/** A version as one node tells of it. */
export interface VersionOnNode extends ModelVersionStatus {
  readonly node: string;
}

/** A version on all nodes that have it. */
export interface VersionFacts {
  readonly version: string;
  /** Names of the fields in which nodes differ; measurements apart, which always do. */
  readonly differences: readonly string[];
  readonly nodes: readonly VersionOnNode[];
}

export interface ModelFacts {
  readonly model: string;
  readonly versions: readonly VersionFacts[];
}

/**
 * Gathers what live nodes tell of a model.
 * @throws PartituraError MODEL_NOT_FOUND that lists the models there are
 */
export function factsOf(model: string, nodes: readonly KnownNode[]): ModelFacts {
  const told = nodes
    .filter(({ alive }) => alive)
    .flatMap(({ node, models }) => models.map((version) => ({ ...version, node })));
  const found = told.filter((version) => version.model === model);
  if (found.length === 0) throw unknownModel(model, told);
  const versions = [...new Set(found.map(({ version }) => version))].sort((a, b) => Number(a) - Number(b));
  return { model, versions: versions.map((version) => versionFacts(version, found)) };
}

function unknownModel(model: string, told: readonly VersionOnNode[]): PartituraError {
  const known = [...new Set(told.map((version) => `'${version.model}'`))].sort().join(', ');
  return new PartituraError(
    'MODEL_NOT_FOUND',
    `model: expected ${known ? `one of ${known}` : 'one that a live node serves, and there is none'}, got '${model}'`,
  );
}

function versionFacts(version: string, told: readonly VersionOnNode[]): VersionFacts {
  const nodes = told.filter((one) => one.version === version).sort((a, b) => a.node.localeCompare(b.node));
  const differences = Object.entries(COMPARED)
    .filter(([, textOf]) => new Set(nodes.map(textOf)).size > 1)
    .map(([field]) => field);
  return { version, differences, nodes };
}

/** Texts that are equal where nodes agree on a field. */
const COMPARED: Readonly<Record<string, (version: VersionOnNode) => string>> = {
  state: ({ state }) => state,
  message: ({ message }) => message ?? '',
  format: ({ format }) => format ?? '',
  runtime: ({ runtime }) => runtime ?? '',
  filesHash: ({ filesHash }) => filesHash ?? '',
  signatures: ({ signatures }) =>
    JSON.stringify(
      signatures.map(({ name, inputs, outputs, problem }) => ({ name, inputs, outputs, problem })),
    ),
  batching: ({ signatures }) => JSON.stringify(signatures.map(({ batching }) => batching?.batchable)),
};

/** Groups the nodes that agree on a version, so that it is printed once for all of them. */
export function groupsOf({ nodes }: VersionFacts): VersionOnNode[][] {
  const groups = new Map<string, VersionOnNode[]>();
  for (const node of nodes) {
    const key = JSON.stringify(Object.values(COMPARED).map((textOf) => textOf(node)));
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups.values()];
}
