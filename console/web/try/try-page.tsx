import type { JSX } from 'preact';
import type { ModelView } from '../../api/views.js';
import { formatWait } from '../shared/format.js';
import { live } from '../shared/live.js';
import { AwayNotice } from '../shared/status.js';
import { choose, missing, newest, selected, type Selected } from './choice.js';
import { isDigits } from './digits.js';
import { DigitsPanel } from './digits-panel.js';
import { RequestPanel } from './request-panel.js';

/** The page for people: choose a model, fill its inputs, see its answer. */
export function TryPage(): JSX.Element {
  return (
    <>
      <AwayNotice />
      <div class="split">
        <ModelList />
        <div class="panel">
          <Chosen />
        </div>
      </div>
    </>
  );
}

function ModelList(): JSX.Element {
  const models = live.models.value;
  return (
    <nav class="side" aria-label="Models">
      <h2>Models</h2>
      {models === undefined ? (
        <p class="waiting">Waiting for the nodes…</p>
      ) : models.length === 0 ? (
        <p class="empty">No node serves a model.</p>
      ) : (
        <ul>
          {models.map((model) => (
            <li key={model.name}>
              <ModelLink model={model} isCurrent={model.name === selected.value?.model.name} />
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}

function ModelLink({
  model,
  isCurrent,
}: {
  readonly model: ModelView;
  readonly isCurrent: boolean;
}): JSX.Element {
  const available = newest(model);
  return (
    <a
      href={`?model=${encodeURIComponent(model.name)}`}
      aria-current={isCurrent ? 'page' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        choose({ model: model.name });
      }}
    >
      <span>{model.name}</span>
      <span class="muted">
        {available ? `v${available.version}` : (model.versions[0]?.state.toLowerCase() ?? '')}
      </span>
    </a>
  );
}

function Chosen(): JSX.Element {
  const found = selected.value;
  if (missing.value !== undefined)
    return <p class="notice">No node reports a model named '{missing.value}'. Choose one from the list.</p>;
  if (!found)
    return <p class="waiting">{live.models.value ? 'Nothing to try yet.' : 'Waiting for the nodes…'}</p>;
  return (
    <>
      <Heading found={found} />
      <Body found={found} />
    </>
  );
}

function Body({ found: { version, signature, form } }: { readonly found: Selected }): JSX.Element {
  if (version.state !== 'AVAILABLE')
    return (
      <p class="notice bad">
        Version {version.version} is {version.state.toLowerCase()}
        {version.message === '' ? '.' : `: ${version.message}`}
      </p>
    );
  if (!signature || !form) return <p class="notice">The nodes report no signature of this version.</p>;
  if (signature.problem !== null) return <p class="notice bad">{signature.problem}</p>;
  return (
    <>
      {isDigits(signature) && <DigitsPanel form={form} />}
      <RequestPanel form={form} />
    </>
  );
}

function Heading({ found: { model, version, signature } }: { readonly found: Selected }): JSX.Element {
  return (
    <div class="heading">
      <h1>{model.name}</h1>
      <div class="chooser">
        {model.versions.length > 1 && (
          <label>
            Version{' '}
            <select
              value={version.version}
              onChange={(event) => choose({ model: model.name, version: event.currentTarget.value })}
            >
              {model.versions.map((one) => (
                <option key={one.version}>{one.version}</option>
              ))}
            </select>
          </label>
        )}
        {version.signatures.length > 1 && (
          <label>
            Signature{' '}
            <select
              value={signature?.name ?? ''}
              onChange={(event) =>
                choose({ model: model.name, version: version.version, signature: event.currentTarget.value })
              }
            >
              {version.signatures.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      <Wait model={model.name} />
    </div>
  );
}

/** The expected wait of a request that would be sent now. */
function Wait({ model }: { readonly model: string }): JSX.Element | null {
  const wait = live.waits.value?.[model];
  if (wait === undefined) return null;
  return (
    <p class="wait">
      Expected wait <strong>{formatWait(wait)}</strong>
    </p>
  );
}
