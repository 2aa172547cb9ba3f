import type { KnownNode } from '../../cluster/node-directory.js';
import { PartituraError } from '../../schemas/errors.js';
import type { ModelVersionStatus } from '../../schemas/generated.js';

/** A version as reported by one node. */
export interface VersionOnNode extends ModelVersionStatus {
  readonly node: string;
}

/** A version with all nodes that have it. */
export interface VersionFacts {
  readonly version: string;
  /** Names of the fields in which nodes differ, except measurements, which always do. */
  readonly differences: readonly string[];
  readonly nodes: readonly VersionOnNode[];
}

export interface ModelFacts {
  readonly model: string;
  readonly versions: readonly VersionFacts[];
}

/**
 * Collects the reports of live nodes about a model.
 * @throws PartituraError MODEL_NOT_FOUND, listing the known models
 */
export function factsOf(model: string, nodes: readonly KnownNode[]): ModelFacts {
  const reported = nodes
    .filter(({ alive }) => alive)
    .flatMap(({ node, models }) => models.map((version) => ({ ...version, node })));
  const found = reported.filter((version) => version.model === model);
  if (found.length === 0) throw unknownModel(model, reported);
  const versions = [...new Set(found.map(({ version }) => version))].sort((a, b) => Number(a) - Number(b));
  return { model, versions: versions.map((version) => versionFacts(version, found)) };
}

function unknownModel(model: string, reported: readonly VersionOnNode[]): PartituraError {
  const known = [...new Set(reported.map((version) => `'${version.model}'`))].sort().join(', ');
  return new PartituraError(
    'MODEL_NOT_FOUND',
    `model: expected ${known ? `one of ${known}` : 'a model of a live node (none is served)'}, got '${model}'`,
  );
}

function versionFacts(version: string, reported: readonly VersionOnNode[]): VersionFacts {
  const nodes = reported
    .filter((one) => one.version === version)
    .sort((a, b) => a.node.localeCompare(b.node));
  const differences = Object.entries(COMPARED)
    .filter(([, textOf]) => new Set(nodes.map(textOf)).size > 1)
    .map(([field]) => field);
  return { version, differences, nodes };
}

/** Compared fields; equal texts mean that nodes agree. */
const COMPARED: Readonly<Record<string, (version: VersionOnNode) => string>> = {
  state: ({ state }) => state,
  message: ({ message }) => message ?? '',
  format: ({ format }) => format ?? '',
  runtime: ({ runtime }) => runtime ?? '',
  filesHash: ({ filesHash }) => filesHash ?? '',
  delivery: ({ delivery }) => delivery ?? '',
  signatures: ({ signatures }) =>
    JSON.stringify(
      signatures.map(({ name, inputs, outputs, problem }) => ({ name, inputs, outputs, problem })),
    ),
  batching: ({ signatures }) => JSON.stringify(signatures.map(({ batching }) => batching?.batchable)),
};

/** Groups the nodes that agree on a version, so that it is printed once per group. */
export function groupsOf({ nodes }: VersionFacts): VersionOnNode[][] {
  const groups = new Map<string, VersionOnNode[]>();
  for (const node of nodes) {
    const key = JSON.stringify(Object.values(COMPARED).map((textOf) => textOf(node)));
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups.values()];
}
