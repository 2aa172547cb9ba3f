import type { JSX } from 'preact';
import { formatDateTime } from '../shared/format.js';
import { live } from '../shared/live.js';
import { State, Table } from '../shared/table.js';
import { to } from './router.js';

/** Applied bindings with their state on each node. */
export function BindingsView(): JSX.Element {
  return (
    <Table
      caption="Bindings"
      columns={[
        { title: 'Binding', cell: ({ name }) => name },
        { title: 'Source topic', cell: ({ source }) => source },
        { title: 'Model', cell: ({ model }) => <a href={to('models', model)}>{model}</a> },
        { title: 'Output topic', cell: ({ output }) => output },
        { title: 'Applied', cell: ({ appliedAt }) => formatDateTime(appliedAt) },
        {
          title: 'Nodes',
          cell: ({ nodes }) => (
            <ul class="plain">
              {nodes.map(({ node, state, message }) => (
                <li key={node}>
                  {node} <State name={state} /> {message}
                </li>
              ))}
            </ul>
          ),
        },
      ]}
      rows={live.bindings.value}
      empty="No binding is applied."
      keyOf={({ name }) => name}
    />
  );
}
