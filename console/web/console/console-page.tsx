import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { formatTime } from '../shared/format.js';
import { heardAt, paused } from '../shared/live.js';
import { AwayNotice } from '../shared/status.js';
import { parameters, route, to } from './router.js';
import { VIEWS } from './views.js';

/** The operations console: a list of views and one of them. */
export function ConsolePage(): JSX.Element {
  const [name = '', ...rest] = route.value;
  const view = VIEWS.find((one) => one.path === name);
  return (
    <>
      <AwayNotice />
      <div class="split">
        <nav class="side" aria-label="Views">
          <ul>
            {VIEWS.map(({ path, title }) => (
              <li key={path}>
                <a
                  href={path === '' ? '/console' : to(path)}
                  aria-current={path === name ? 'page' : undefined}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="panel">
          <Heading title={rest.length > 0 ? rest.join(' / ') : (view?.title ?? 'Not found')} />
          {view ? view.render(rest) : <p class="notice">There is no such view. Choose one from the list.</p>}
        </div>
      </div>
    </>
  );
}

function Heading({ title }: { readonly title: string }): JSX.Element {
  const query = parameters.value.toString();
  const twin = `/console/api${route.value.map((part) => `/${encodeURIComponent(part)}`).join('')}`;
  return (
    <div class="heading">
      <h1>{title}</h1>
      <div class="buttons tools">
        <button
          type="button"
          class="small"
          aria-pressed={paused.value}
          onClick={() => (paused.value = !paused.value)}
        >
          {paused.value ? 'Resume' : 'Pause'}
        </button>
        <a href={query === '' ? twin : `${twin}?${query}`}>JSON</a>
      </div>
      {paused.value && <PausedNotice />}
    </div>
  );
}

function PausedNotice(): JSX.Element {
  const at = useMemo(() => heardAt.peek(), []);
  return (
    <p class="muted paused" role="status">
      Paused: the view is from {formatTime(at)}
    </p>
  );
}
