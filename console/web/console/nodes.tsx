import type { JSX } from 'preact';
import type { NodeView as Node } from '../../api/views.js';
import { formatAge, formatBytes, formatCount, formatDateTime, formatMicros } from '../shared/format.js';
import { heardAt, live, now, paused } from '../shared/live.js';
import { Facts, State, Table, type Column } from '../shared/table.js';
import { Commands, nodeCommands } from './control.js';
import { to } from './router.js';

/** The time by which ages are shown: it stands still during a pause. */
function viewTime(): number {
  return paused.value ? heardAt.peek() : now.value;
}

export const NODE_COLUMNS: readonly Column<Node>[] = [
  { title: 'Node', cell: ({ node }) => <a href={to('nodes', node)}>{node}</a> },
  { title: 'State', cell: (node) => <State name={stateOf(node)} /> },
  { title: 'In flight', number: true, cell: ({ inflightRequests }) => formatCount(inflightRequests) },
  { title: 'Load', number: true, cell: (node) => <Load node={node} /> },
  { title: 'Service time per row', number: true, cell: ({ serviceMicros }) => formatMicros(serviceMicros) },
  { title: 'Models', number: true, cell: ({ models }) => models.filter(isAvailable).length },
  { title: 'Partitions', number: true, cell: ({ partitions }) => partitions.length },
  { title: 'Last heartbeat', number: true, cell: ({ beatAt }) => `${formatAge(beatAt, viewTime())} ago` },
  { title: 'Host', cell: ({ host }) => host },
];

export function stateOf({ alive, state }: Node): string {
  return alive ? state : 'silent';
}

function isAvailable({ state }: Node['models'][number]): boolean {
  return state === 'AVAILABLE';
}

/** Requests in flight as a share of the capacity. */
function Load({ node: { inflightRequests, capacityRequests } }: { readonly node: Node }): JSX.Element {
  const share = capacityRequests === 0 ? 0 : Math.min(1, inflightRequests / capacityRequests);
  return (
    <span class="load">
      <span class="gauge" aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
      {`${Math.round(share * 100)} %`}
    </span>
  );
}

export function NodesView(): JSX.Element {
  return (
    <Table
      caption="Nodes"
      columns={NODE_COLUMNS}
      rows={live.nodes.value}
      empty="No node has reported its status."
      keyOf={({ node }) => node}
      toneOf={({ alive }) => (alive ? '' : 'faded')}
    />
  );
}

/** One node: its load, its models, its partitions. */
export function NodeView({ name }: { readonly name: string }): JSX.Element {
  const node = live.nodes.value?.find((one) => one.node === name);
  if (live.nodes.value === undefined) return <p class="waiting">Waiting for data…</p>;
  if (!node) return <p class="notice">No node of this name has reported its status.</p>;
  return (
    <>
      <NodeFacts node={node} />
      {node.alive && <Commands commands={nodeCommands(name, node.state === 'DRAINING')} />}
      <section>
        <h2>Models</h2>
        <Table
          caption="Models of the node"
          columns={[
            { title: 'Model', cell: ({ model }) => <a href={to('models', model)}>{model}</a> },
            { title: 'Version', number: true, cell: ({ version }) => version },
            { title: 'State', cell: ({ state }) => <State name={state} /> },
            { title: 'Message', cell: ({ message }) => message },
          ]}
          rows={node.models}
          empty="The node has loaded no model."
          keyOf={({ model, version }) => `${model}/${version}`}
        />
      </section>
      <Partitions node={node} />
      {node.skippedFolders.length > 0 && (
        <section>
          <h2>Folders that are not served</h2>
          <ul class="plain">
            {node.skippedFolders.map((folder) => (
              <li key={folder}>{folder}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function NodeFacts({ node }: { readonly node: Node }): JSX.Element {
  return (
    <Facts
      facts={[
        ['State', <State name={stateOf(node)} />],
        ['Last heartbeat', `${formatAge(node.beatAt, viewTime())} ago`],
        ['In flight', `${formatCount(node.inflightRequests)} of ${formatCount(node.capacityRequests)}`],
        ['Bytes in flight', formatBytes(node.inflightBytes)],
        ['Service time per row', formatMicros(node.serviceMicros)],
        ['Host', node.host],
        ['Started', formatDateTime(node.startedAt)],
      ]}
    />
  );
}

function Partitions({ node }: { readonly node: Node }): JSX.Element {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of node.partitions)
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return (
    <section>
      <h2>Partitions</h2>
      <Table
        caption="Partitions of the node"
        columns={[
          { title: 'Topic', cell: ([topic]) => <a href={to('topics', topic)}>{topic}</a> },
          { title: 'Partitions', cell: ([, owned]) => owned.sort((a, b) => a - b).join(', ') },
        ]}
        rows={[...byTopic].sort(([one], [other]) => one.localeCompare(other))}
        empty="The node owns no partition."
        keyOf={([topic]) => topic}
      />
    </section>
  );
}
