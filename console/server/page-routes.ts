import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FileMissing } from './problems.js';
import { loadAssets, type Asset, type Assets } from './assets.js';
import { createShell, type PageShell } from './shell.js';

const YEAR_SECONDS = 31_536_000;

/** Adds the pages and the files that they load. */
export function addPageRoutes(app: FastifyInstance): void {
  const assets = loadAssets();
  const send = (shell: PageShell) => (_request: FastifyRequest, reply: FastifyReply) =>
    reply
      .headers({
        'content-security-policy': shell.policy,
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(shell.html);
  app.get('/', send(createShell(assets, 'Partitura', 'try')));
  const console = send(createShell(assets, 'Partitura console', 'console'));
  app.get('/console', console);
  app.get('/console/*', console);
  addAssetRoute(app, assets);
}

function addAssetRoute(app: FastifyInstance, { base, files }: Assets): void {
  app.get<{ Params: { '*': string } }>(`${base}/*`, (request, reply) => {
    const asset = files.get(request.params['*']);
    if (!asset) throw new FileMissing(request.url);
    return sendAsset(asset, request, reply);
  });
}

function sendAsset(asset: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { type, content, gzipped } = asset;
  const isGzip = /\bgzip\b/i.test(String(request.headers['accept-encoding'] ?? ''));
  if (isGzip) void reply.header('content-encoding', 'gzip');
  return reply
    .headers({
      vary: 'accept-encoding',
      'cache-control': `public, max-age=${YEAR_SECONDS}, immutable`,
    })
    .type(type)
    .send(isGzip ? gzipped : content);
}
