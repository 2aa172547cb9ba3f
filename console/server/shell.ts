import { createHash } from 'node:crypto';
import { importMap, type Assets } from './assets.js';

/** A page: its title, and the module that fills it. */
export interface PageShell {
  readonly title: string;
  readonly module: string;
  readonly html: string;
  readonly policy: string;
}

/** Modules that every page loads; named in the page, so that the browser does not discover them one after the other. */
const SHARED = [
  'packages/preact.js',
  'packages/preact-hooks.js',
  'packages/preact-jsx-runtime.js',
  'packages/preact-signals.js',
  'packages/preact-signals-core.js',
];

/** Creates the HTML of a page. It shows its frame before any script or data has arrived. */
export function createShell(assets: Assets, title: string, folder: 'try' | 'console'): PageShell {
  const { base, files } = assets;
  const map = importMap(assets);
  const module = `${folder}/main.js`;
  const own = [...files.keys()].filter(
    (name) => name.endsWith('.js') && (name.startsWith(`${folder}/`) || name.startsWith('shared/')),
  );
  const preloads = [...SHARED, ...own].map((name) => `<link rel="modulepreload" href="${base}/${name}">`);
  const isCurrent = (name: string): string => (name === folder ? ' aria-current="page"' : '');
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${base}/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${base}/style.css">
${folder === 'console' ? `<link rel="stylesheet" href="${base}/packages/uplot.css">\n` : ''}<script type="importmap">${map}</script>
${preloads.join('\n')}
<script type="module" src="${base}/${module}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<a class="brand" href="/"><img src="${base}/icon.svg" alt="" width="22" height="22">Partitura</a>
<nav aria-label="Pages"><a href="/"${isCurrent('try')}>Try a model</a><a href="/console"${isCurrent('console')}>Console</a></nav>
<div id="status"></div>
</header>
<main id="main" tabindex="-1"><p class="waiting">Loading…</p></main>
<noscript><p class="waiting">These pages need JavaScript. The same data is available as JSON below <a href="/console/api/models">/console/api/</a>.</p></noscript>
</body>
</html>
`;
  return { title, module, html, policy: policyOf(map) };
}

/** Allows files of this origin and, by its hash, the import map, which browsers accept inline only. */
function policyOf(map: string): string {
  const hash = createHash('sha256').update(map).digest('base64');
  return [
    "default-src 'self'",
    `script-src 'self' 'sha256-${hash}'`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
