import { computed, signal } from '@preact/signals';

const ROOT = '/console';

const address = signal(location.pathname + location.search);
addEventListener('popstate', () => (address.value = location.pathname + location.search));

/** Parts of the path after `/console`, decoded: `['models', 'digits']`. */
export const route = computed<readonly string[]>(() =>
  (address.value.split('?')[0] ?? '')
    .slice(ROOT.length)
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent),
);

/** Parameters of the address. */
export const parameters = computed(() => new URLSearchParams(address.value.split('?')[1] ?? ''));

/** Returns the address of a view. */
export function to(...parts: readonly (string | number)[]): string {
  return [ROOT, ...parts.map((part) => encodeURIComponent(part))].join('/');
}

/** Shows another view without loading the page again. */
export function go(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  address.value = path;
  if (!replace) scrollTo(0, 0);
}

/** Follows links to views in this page; others, and those with a modifier key, are left to the browser. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain =
      event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || link.target !== '' || link.origin !== location.origin) return;
    if (link.pathname !== ROOT && !link.pathname.startsWith(`${ROOT}/`)) return;
    if (link.pathname.startsWith(`${ROOT}/api`)) return;
    event.preventDefault();
    go(link.pathname + link.search);
    document.getElementById('main')?.focus();
  });
}
