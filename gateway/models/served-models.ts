import { groupBy } from '../../core/group-by.js';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { LiveNodes } from '../../cluster/live-nodes.js';
import type { KnownNode } from '../../cluster/node-directory.js';
import type { Identity } from '../auth/identity.js';
import { PermittedModels, unknownModel, type CallerModels } from './caller-models.js';
import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import type { ModelVersionStatus, SignatureStatus } from '../../schemas/generated.js';

/** Signature that TensorFlow Serving uses if a request names none. */
export const DEFAULT_SIGNATURE = 'serving_default';

/** A version of a model on one live node. */
export interface ReportedVersion {
  readonly node: KnownNode;
  readonly status: ModelVersionStatus;
}

/** A version of a model as the cluster serves it. */
export interface ServedVersion {
  readonly model: string;
  readonly version: string;
  /** AVAILABLE if a live node serves it; otherwise the state that a node reports. */
  readonly state: string;
  /** Reason of a failure. */
  readonly message: string;
  /** Report of a node that serves it, or of any node. */
  readonly status: ModelVersionStatus;
  readonly nodes: readonly ReportedVersion[];
}

/** A model with its versions, newest first. */
export interface ServedModel {
  readonly name: string;
  readonly versions: readonly ServedVersion[];
}

/** Models of the cluster, as its live nodes report them. */
export class ServedModels {
  readonly #live: LiveNodes;
  readonly #unsubscribe: () => void;
  #models: ReadonlyMap<string, ServedModel> | undefined;
  /** Time from which on the view is computed again, since nodes may have died. */
  #expiresAt = 0;

  constructor(
    live: LiveNodes,
    readonly directives: Pick<LiveDirectives, 'model'>,
  ) {
    this.#live = live;
    this.#unsubscribe = live.onChange(() => (this.#models = undefined));
  }

  /** Returns all models by name. */
  all(): readonly ServedModel[] {
    return [...this.#view().values()];
  }

  /** Returns live nodes. */
  nodes(): readonly KnownNode[] {
    return this.#live.nodes().filter(({ alive }) => alive);
  }

  find(name: string): ServedModel | undefined {
    return this.#view().get(name);
  }

  /** True if a live node serves a model. */
  get isServing(): boolean {
    return this.all().some(({ versions }) => versions.some(isAvailable));
  }

  /**
   * Finds the version that answers a request.
   * @param version undefined for the newest available one
   * @throws PartituraError MODEL_NOT_FOUND for an unknown model or version, MODEL_NOT_READY if it is not available
   */
  resolve(name: string, version?: string): ServedVersion {
    const model = this.find(name);
    if (!model) throw unknownModel(name);
    if (version === undefined) return newestOf(model);
    const found = model.versions.find((one) => one.version === version);
    if (!found)
      throw new PartituraError(
        'MODEL_NOT_FOUND',
        `Request for unknown model: '${name}' version ${version} is not found`,
      );
    if (!isAvailable(found)) throw notReady(found);
    return found;
  }

  /** Returns the versions that labels of a model name. */
  labels(model: string): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.directives.model(model).labels));
  }

  /** Returns the models that a caller may use. */
  visibleTo(caller: Pick<Identity, 'seesAll' | 'mayUse'>): CallerModels {
    return caller.seesAll ? this : new PermittedModels(this, (model) => caller.mayUse(model));
  }

  close(): void {
    this.#unsubscribe();
  }

  #view(now = Date.now()): ReadonlyMap<string, ServedModel> {
    if (!this.#models || now >= this.#expiresAt) {
      this.#models = collectModels(this.nodes());
      this.#expiresAt = now + 500;
    }
    return this.#models;
  }
}

export function isAvailable({ state }: Pick<ServedVersion, 'state'>): boolean {
  return state === 'AVAILABLE';
}

/**
 * Selects a signature: the named one or the default.
 * @throws PartituraError INVALID_REQUEST if the version has no such signature
 */
export function signatureOf({ status }: ServedVersion, name: string | undefined): SignatureStatus {
  const [main] = status.signatures;
  const wanted = name === undefined || name === '' ? undefined : name;
  const found =
    status.signatures.find((signature) => signature.name === wanted) ??
    (wanted === undefined || wanted === DEFAULT_SIGNATURE ? main : undefined);
  if (found) return found;
  throw invalidRequest(`Serving signature name: "${wanted ?? DEFAULT_SIGNATURE}" not found in signature def`);
}

function newestOf(model: ServedModel): ServedVersion {
  const available = model.versions.find(isAvailable);
  if (available) return available;
  const [newest] = model.versions;
  if (newest) throw notReady(newest);
  throw unknownModel(model.name);
}

function notReady({ model, version, state, message }: ServedVersion): PartituraError {
  const reason = message === '' ? '' : `: ${message}`;
  return new PartituraError('MODEL_NOT_READY', `model '${model}', version ${version}: ${state}${reason}`);
}

/** Collects what nodes report, by model. */
export function collectModels(nodes: readonly KnownNode[]): ReadonlyMap<string, ServedModel> {
  const reports = nodes.flatMap((node) => node.models.map((status) => ({ node, status })));
  const byModel = groupBy(reports, ({ status }) => status.model);
  return new Map(
    [...byModel]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, reported]) => [name, { name, versions: versionsOf(name, reported) }]),
  );
}

function versionsOf(model: string, reported: readonly ReportedVersion[]): ServedVersion[] {
  const byVersion = groupBy(reported, ({ status }) => status.version);
  return [...byVersion]
    .sort(([a], [b]) => Number(b) - Number(a))
    .map(([version, nodes]) => {
      const [any] = nodes as [ReportedVersion];
      const { status } = nodes.find((one) => isAvailable(one.status)) ?? any;
      return { model, version, state: status.state, message: status.message ?? '', status, nodes };
    });
}
