import { z } from 'zod';
import { VERSION } from '../../core/version.js';
import type { Operation, OtherBody } from './operation.js';
import { OPERATIONS } from './operations/index.js';
import { BODIES, type BodyName } from './schemas/index.js';

const REASONS: Readonly<Record<number, string>> = {
  200: 'Success',
  202: 'Accepted; the Location header names the reply',
  400: 'The request is wrong; the message names the field',
  401: 'No valid credential',
  403: 'Not for this credential',
  404: 'Unknown model, version or path',
  409: 'Not all nodes complied',
  413: 'Too large',
  415: 'Unknown content encoding',
  429: 'Over the quota, or the queue is too long; see Retry-After',
  500: 'The model failed',
  501: 'Not supported; the message names the field',
  503: 'Not ready, or the cluster cannot be reached',
  504: 'The deadline passed',
};

const TAGS = [
  ['Open Inference Protocol', 'Version 2, with the binary tensor extension; bulk and deferred requests'],
  ['TensorFlow Serving', 'Version 1; paths are matched without regard to case'],
  ['Watson Machine Learning', "Version 4, as IBM's SDK calls it; errors in its form"],
  ['Control', 'Desired state of the cluster'],
  ['Gateway', 'Health, metrics and descriptions'],
  ['Console', 'JSON of the views of /console; times are milliseconds since the epoch'],
].map(([name, description]) => ({ name, description }));

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A JSON Web Token or an API key' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  basic: { type: 'http', scheme: 'basic', description: 'An API key as password' },
};

const XML = {
  type: 'string',
  description:
    'The same value as an XML document of /partitura.xsd: <object xmlns="urn:partitura:xml:1">…</object>',
};

/** Describes the REST APIs as an OpenAPI 3.1 document. @param isSecured true if requests need a credential */
export function openApiDocument(isSecured: boolean): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS)
    (paths[operation.path] ??= {})[operation.method] = describe(operation, isSecured);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Partitura',
      summary: 'Inference over HTTP',
      version: VERSION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: TAGS,
    security: isSecured ? Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })) : [],
    paths,
    components: {
      schemas: { ...componentSchemas(), Xml: XML },
      ...(isSecured && { securitySchemes: SECURITY_SCHEMES }),
    },
  };
}

/** Converts the schemas that validate to JSON Schema; those that contain each other become references. */
function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(BODIES)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: refTo });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $id: _id, $schema: _schema, ...schema }]) => [name, schema]),
  );
}

function describe(operation: Operation, isSecured: boolean): object {
  const { id, tag, summary, isOpen = false, request, otherRequest } = operation;
  const parameters = parametersOf(operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(isOpen && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...((request ?? otherRequest) && { requestBody: requestBody(operation) }),
    responses: responsesOf(operation, isSecured && !isOpen),
  };
}

function parametersOf({ path, params = {}, query, headers = [] }: Operation): object[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...parameterSchema(params[name]),
  }));
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    ...parameterSchema(schema as z.ZodType),
  }));
  const inHeader = headers.map(({ name, description, schema }) => ({
    name,
    in: 'header',
    ...parameterSchema(schema),
    description,
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

/** Describes a parameter; it may be any text if there is no schema. */
function parameterSchema(parameter: z.ZodType = z.string()): object {
  const { description, $schema: _schema, ...schema } = z.toJSONSchema(parameter, { io: 'input' });
  return { ...(description !== undefined && { description }), schema };
}

function requestBody({ request, otherRequest, isRequestOptional = false }: Operation): object {
  return {
    required: !isRequestOptional,
    content: { ...(request && contentOf(request)), ...(otherRequest && contentOf(otherRequest)) },
  };
}

function responsesOf(operation: Operation, isSecured: boolean): Record<number, object> {
  const { answers, errors, errorBody = 'Problem' } = operation;
  const statuses = isSecured ? [401, 403, ...errors] : errors;
  const failures = statuses
    .filter((status) => !(status in answers))
    .map((status) => [status, responseOf(status, errorBody)] as const);
  const successes = Object.entries(answers).map(
    ([status, body]) => [status, responseOf(Number(status), body)] as const,
  );
  return Object.fromEntries<object>([...successes, ...failures]);
}

function responseOf(status: number, body: BodyName | OtherBody): object {
  const description = typeof body === 'string' ? (REASONS[status] ?? '') : body.description;
  return { description, content: contentOf(body) };
}

function contentOf(body: BodyName | OtherBody): Record<string, object> {
  if (typeof body !== 'string')
    return Object.fromEntries(
      body.types.map((type) => [type, { schema: { type: 'string', description: body.description } }]),
    );
  return {
    'application/json': { schema: { $ref: refTo(body) } },
    'application/xml': { schema: { $ref: refTo('Xml') } },
  };
}

function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}
