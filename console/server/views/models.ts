import { groupBy } from '../../../core/group-by.js';
import type { KnownNode } from '../../../cluster/node-directory.js';
import { isInternal } from '../../../schemas/model-name.js';
import type { ModelVersionStatus, SignatureStatus, TensorStatus } from '../../../schemas/generated.js';
import type { ModelView, SignatureView, TensorView, VersionView } from '../../api/views.js';

interface Report {
  readonly node: string;
  readonly status: ModelVersionStatus;
}

/**
 * Merges what live nodes report about models, by name; versions newest first.
 * @param labelsOf returns the versions that labels of a model name
 */
export function modelViews(
  nodes: readonly KnownNode[],
  labelsOf: (model: string) => Readonly<Record<string, string>>,
): ModelView[] {
  const reports = nodes
    .filter(({ alive }) => alive)
    .flatMap(({ node, models }) => models.map((status) => ({ node, status })))
    .filter(({ status }) => !isInternal(status.model));
  return [...groupBy(reports, ({ status }) => status.model)]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, ofModel]) => ({ name, versions: versionViews(ofModel), labels: labelsOf(name) }));
}

function versionViews(reports: readonly Report[]): VersionView[] {
  return [...groupBy(reports, ({ status }) => status.version)]
    .sort(([one], [other]) => Number(other) - Number(one))
    .map(([version, ofVersion]) => versionView(version, ofVersion));
}

function versionView(version: string, reports: readonly Report[]): VersionView {
  const [any] = reports as [Report];
  const { status } = reports.find((report) => report.status.state === 'AVAILABLE') ?? any;
  const { state, message, format, runtime, batching, measured, signatures } = status;
  return {
    version,
    state,
    message: message ?? '',
    format: format ?? '',
    runtime: runtime ?? '',
    batching,
    measured: measured && {
      microsAlone: measured.microsAlone,
      microsPerRow: measured.microsPerRow,
      bestBatchRows: measured.bestBatchRows,
    },
    signatures: signatures.map(signatureView),
    nodes: reports.map(({ node, status: own }) => ({ node, state: own.state, message: own.message ?? '' })),
  };
}

function signatureView({ name, inputs, outputs, batching, problem }: SignatureStatus): SignatureView {
  return { name, inputs: inputs.map(tensorView), outputs: outputs.map(tensorView), batching, problem };
}

function tensorView({ name, datatype, shape, labels }: TensorStatus): TensorView {
  return { name, datatype, shape, labels };
}
