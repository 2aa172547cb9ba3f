import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { errorIn } from '../shared/http.js';
import { live } from '../shared/live.js';
import { Confirm } from './confirm.js';

/** A change of the cluster, as the gateway's control resource takes it. */
interface Command {
  readonly title: string;
  readonly action: string;
  /** Explains the effect. */
  readonly effect: string;
  readonly danger?: boolean;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

interface Outcome {
  readonly settled: boolean;
  readonly nodes: readonly { readonly node: string; readonly ok: boolean; readonly reason: string }[];
}

/** Gives a command and says in one sentence what each node made of it. @throws Error if the gateway refuses */
async function give({ method, path, body }: Command): Promise<string> {
  const response = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json', 'x-requested-by': 'console' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // 409 tells which nodes did not comply.
  if (!response.ok && response.status !== 409) throw new Error(errorIn(text) ?? `${response.status}`);
  const outcome = JSON.parse(text) as Outcome | { readonly id: string };
  return 'nodes' in outcome ? describe(outcome) : 'The order has been given.';
}

function describe({ settled, nodes }: Outcome): string {
  const done = nodes.filter(({ ok }) => ok).map(({ node }) => node);
  const refused = nodes.filter(({ ok }) => !ok).map(({ node, reason }) => `${node}: ${reason}`);
  return [
    done.length > 0 ? `Done by ${done.join(', ')}.` : '',
    refused.length > 0 ? `Not done by ${refused.join('; ')}.` : '',
    settled ? '' : 'Other nodes are still working on it; they follow when they can.',
  ]
    .filter((part) => part !== '')
    .join(' ');
}

/** Buttons for commands, each asking before it is given; nothing in read-only mode. */
export function Commands({ commands }: { readonly commands: readonly Command[] }): JSX.Element | null {
  const asked = useSignal<Command | undefined>(undefined);
  if (live.cluster.value?.readOnly !== false) return null;
  const command = asked.value;
  return (
    <div class="buttons">
      {commands.map((one) => (
        <button
          key={one.title}
          type="button"
          class={one.danger ? 'danger' : ''}
          onClick={() => (asked.value = one)}
        >
          {one.action}
        </button>
      ))}
      {command && (
        <Confirm
          title={command.title}
          action={command.action}
          danger={command.danger ?? false}
          run={() => give(command)}
          onClose={() => (asked.value = undefined)}
        >
          <p>{command.effect}</p>
        </Confirm>
      )}
    </div>
  );
}

/** Load and unload of a model. */
export function modelCommands(model: string): readonly Command[] {
  const path = `/api/models/${encodeURIComponent(model)}`;
  return [
    {
      title: `Load ${model}`,
      action: 'Load',
      effect:
        'Every node loads the model, or tries again where loading failed. Nodes that start later load it, too.',
      method: 'POST',
      path: `${path}/load`,
    },
    {
      title: `Unload ${model}`,
      action: 'Unload',
      effect:
        'Every node stops serving the model after the requests in flight. New requests wait or are refused.',
      danger: true,
      method: 'POST',
      path: `${path}/unload`,
    },
  ];
}

/** Drain of a node, or its end. */
export function nodeCommands(node: string, isDraining: boolean): readonly Command[] {
  const path = `/api/nodes/${encodeURIComponent(node)}`;
  if (isDraining)
    return [
      {
        title: `Return ${node} to service`,
        action: 'Return to service',
        effect: 'The node loads its models again and takes partitions.',
        method: 'POST',
        path: `${path}/undrain`,
      },
    ];
  return [
    {
      title: `Drain ${node}`,
      action: 'Drain',
      effect: 'The node finishes its requests, unloads its models and gives its partitions to other nodes.',
      danger: true,
      method: 'POST',
      path: `${path}/drain`,
    },
  ];
}

interface LabelFormProps {
  readonly model: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A form that sets a label of a model, or removes it. */
export function LabelForm({ model, labels }: LabelFormProps): JSX.Element | null {
  const label = useSignal('');
  const version = useSignal('');
  const asked = useSignal<Command | undefined>(undefined);
  if (live.cluster.value?.readOnly !== false) return null;
  return (
    <form
      class="filter"
      onSubmit={(event) => {
        event.preventDefault();
        asked.value = labelCommand({ model, labels }, label.value, version.value);
      }}
    >
      <label>
        Label
        <input value={label.value} required onInput={(event) => (label.value = event.currentTarget.value)} />
      </label>
      <label>
        Version (empty removes it)
        <input
          value={version.value}
          inputMode="numeric"
          pattern="\d{1,15}"
          onInput={(event) => (version.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit">Set label</button>
      {asked.value && <LabelDialog command={asked.value} onClose={() => (asked.value = undefined)} />}
    </form>
  );
}

/** Creates the command that sets all labels of a model, one of them changed. @param version empty to remove the label */
function labelCommand({ model, labels }: LabelFormProps, label: string, version: string): Command {
  const { [label]: _, ...others } = labels;
  const isRemoval = version === '';
  return {
    title: isRemoval ? `Remove label ${label}` : `Label version ${version} as ${label}`,
    action: isRemoval ? 'Remove' : 'Label',
    effect: `Requests that name the label '${label}' ${isRemoval ? 'are refused' : `reach version ${version}`}.`,
    method: 'PUT',
    path: `/api/models/${encodeURIComponent(model)}/labels`,
    body: isRemoval ? others : { ...others, [label]: version },
  };
}

function LabelDialog({
  command,
  onClose,
}: {
  readonly command: Command;
  readonly onClose: () => void;
}): JSX.Element {
  return (
    <Confirm title={command.title} action={command.action} run={() => give(command)} onClose={onClose}>
      <p>{command.effect}</p>
    </Confirm>
  );
}

/** Cancellation of a job. */
export function jobCommands(id: string): readonly Command[] {
  return [
    {
      title: `Cancel job ${id}`,
      action: 'Cancel',
      effect: 'No further parts are computed. What has been delivered of the result stays.',
      danger: true,
      method: 'DELETE',
      path: `/v1/jobs/${encodeURIComponent(id)}`,
    },
  ];
}
