import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { collectBody, type BodyCollected } from '../http/collect-body.js';
import { readJson } from '../json/read-json.js';
import { jsonToXml } from './json-to-xml.js';
import { xmlToJson } from './xml-to-json.js';

const XML = /^(application|text)\/xml\b/i;
const SCHEMA = new URL('../../../gateway/xml/partitura.xsd', import.meta.url);

/**
 * Lets every JSON resource be used in XML: bodies of `application/xml` are converted to JSON before a route sees them,
 * and JSON answers to XML for callers that accept it. The schema is at `/partitura.xsd`.
 */
export function addXml(app: FastifyInstance, maxBytes: number): void {
  app.get('/partitura.xsd', (_request, reply) =>
    reply.type('application/xml').send(readFileSync(SCHEMA, 'utf8')),
  );
  app.addContentTypeParser(
    ['application/xml', 'text/xml'],
    (request: FastifyRequest, payload: Readable, done: BodyCollected) => {
      collectBody(request, payload, maxBytes, (error, body) => {
        if (body) xmlToJson(body).then((json) => done(null, json), done);
        else done(error);
      });
    },
  );
  app.addHook('onSend', (request, reply, payload, done) => {
    const isJson = String(reply.getHeader('content-type') ?? '').startsWith('application/json');
    if (!isJson || !acceptsXml(request) || (typeof payload !== 'string' && !Buffer.isBuffer(payload)))
      return done(null, payload);
    void reply.type('application/xml; charset=utf-8').removeHeader('content-length');
    readJson(Buffer.from(payload)).then((json) => done(null, jsonToXml(json)), done);
  });
}

/** Returns true if the first acceptable type is XML; without a preference, the type of the request decides. */
function acceptsXml({ headers }: FastifyRequest): boolean {
  const accept = headers.accept;
  if (accept === undefined || accept.trim() === '*/*') return XML.test(headers['content-type'] ?? '');
  return XML.test(accept.split(',')[0]?.trim() ?? '');
}
