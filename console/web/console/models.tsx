import type { JSX } from 'preact';
import type { ModelView as Model, SignatureView, TensorView, VersionView } from '../../api/views.js';
import { formatMicros, formatShape, formatWait } from '../shared/format.js';
import { live } from '../shared/live.js';
import { Facts, State, Table, type Column } from '../shared/table.js';
import { Commands, LabelForm, modelCommands } from './control.js';
import { to } from './router.js';

interface Row {
  readonly model: Model;
  readonly version: VersionView;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'Model', cell: ({ model }) => <a href={to('models', model.name)}>{model.name}</a> },
  { title: 'Version', number: true, cell: ({ version }) => version.version },
  { title: 'State', cell: ({ version }) => <State name={version.state} /> },
  {
    title: 'Nodes',
    number: true,
    cell: ({ version }) => version.nodes.filter(({ state }) => state === 'AVAILABLE').length,
  },
  {
    title: 'Expected wait',
    number: true,
    cell: ({ model }) => formatWait(live.waits.value?.[model.name] ?? 0),
  },
  { title: 'Format', cell: ({ version }) => version.format },
  { title: 'Batching', cell: ({ version }) => batchingText(version) },
];

function batchingText({ batching }: Pick<VersionView, 'batching'>): string {
  return batching === null ? '' : batching.batchable ? 'yes' : 'no';
}

export function ModelsView(): JSX.Element {
  const rows = live.models.value?.flatMap((model) => model.versions.map((version) => ({ model, version })));
  return (
    <Table
      caption="Models and versions"
      columns={COLUMNS}
      rows={rows}
      empty="No node reports a model."
      keyOf={({ model, version }) => `${model.name}/${version.version}`}
    />
  );
}

/** One model with all its versions. */
export function ModelView({ name }: { readonly name: string }): JSX.Element {
  const model = live.models.value?.find((one) => one.name === name);
  if (live.models.value === undefined) return <p class="waiting">Waiting for data…</p>;
  if (!model) return <p class="notice">No live node reports a model of this name.</p>;
  const labels = Object.entries(model.labels);
  return (
    <>
      <Facts
        facts={[
          ['Expected wait', formatWait(live.waits.value?.[name] ?? 0)],
          [
            'Labels',
            labels.length === 0
              ? 'none'
              : labels.map(([label, version]) => `${label} = ${version}`).join(', '),
          ],
          ['Try it', <a href={`/?model=${encodeURIComponent(name)}`}>Send a request</a>],
        ]}
      />
      <Commands commands={modelCommands(name)} />
      <LabelForm model={name} labels={model.labels} />
      {model.versions.map((version) => (
        <Version key={version.version} version={version} />
      ))}
    </>
  );
}

function Version({ version }: { readonly version: VersionView }): JSX.Element {
  const { batching, measured } = version;
  return (
    <section class="card">
      <h2>
        Version {version.version} <State name={version.state} />
      </h2>
      {version.message !== '' && <p class="problem">{version.message}</p>}
      <Facts
        facts={[
          ['Format', version.format],
          ['Runtime', version.runtime],
          ['Nodes', version.nodes.map(({ node, state }) => `${node} (${state.toLowerCase()})`).join(', ')],
          ...(measured
            ? ([
                ['One row alone', formatMicros(measured.microsAlone)],
                ['Row in the best batch', formatMicros(measured.microsPerRow)],
                ['Best batch', `${measured.bestBatchRows} ${measured.bestBatchRows === 1 ? 'row' : 'rows'}`],
              ] as const)
            : []),
        ]}
      />
      {batching && (
        <p class="batching">
          <strong>{batching.batchable ? 'Requests share batches' : 'Requests are computed alone'}</strong>:{' '}
          {batching.reason}
        </p>
      )}
      {version.signatures.map((signature, index) => (
        <Signature key={signature.name ?? index} signature={signature} isDefault={index === 0} />
      ))}
    </section>
  );
}

function Signature({
  signature,
  isDefault,
}: {
  readonly signature: SignatureView;
  readonly isDefault: boolean;
}): JSX.Element {
  const { name, inputs, outputs, problem } = signature;
  const rows = [
    ...inputs.map((tensor) => ({ side: 'input', tensor })),
    ...outputs.map((tensor) => ({ side: 'output', tensor })),
  ];
  return (
    <>
      <h3>
        Signature {name ?? ''} <span class="muted">{isDefault ? 'default' : ''}</span>
      </h3>
      {problem !== null && <p class="problem">{problem}</p>}
      <Table
        caption={`Signature ${name ?? ''}`}
        columns={[
          { title: 'Tensor', cell: ({ tensor }) => tensor.name },
          { title: 'Direction', cell: ({ side }) => side },
          { title: 'Datatype', cell: ({ tensor }) => tensor.datatype },
          { title: 'Shape', cell: ({ tensor }) => formatShape(tensor.shape) },
          { title: 'Labels', cell: ({ tensor }) => labelsText(tensor) },
        ]}
        rows={rows}
        empty="No tensors."
        keyOf={({ side, tensor }) => `${side} ${tensor.name}`}
      />
    </>
  );
}

function labelsText({ labels }: TensorView): string {
  return labels.length > 8 ? `${labels.slice(0, 8).join(', ')}, …` : labels.join(', ');
}
