import { z } from 'zod';
import { count, flag, list, number, option, optionalText, port, text } from './option.js';

/** Options of a gateway: addresses, limits and access. */
export const GATEWAY = {
  gatewayHost: option(
    'PARTITURA_GATEWAY_HOST',
    text,
    '127.0.0.1',
    'Address on which the gateway serves HTTP and gRPC',
  ),
  gatewayPort: option(
    'PARTITURA_GATEWAY_PORT',
    port,
    8080,
    "Port of the gateway's REST APIs; 0 picks a free port",
  ),
  grpcPort: option('PARTITURA_GRPC_PORT', port, 8001, "Port of the gateway's gRPC APIs; 0 picks a free port"),
  gatewayMaxBodyBytes: option(
    'PARTITURA_GATEWAY_MAX_BODY_BYTES',
    count,
    64 * 1024 * 1024,
    'Maximum size of a request body or gRPC message, decompressed',
  ),
  gatewayMaxInflight: option(
    'PARTITURA_GATEWAY_MAX_INFLIGHT',
    count,
    10_000,
    'Requests that a gateway has waiting for their replies; more are refused with 429',
  ),
  gatewayTimeoutMs: option(
    'PARTITURA_GATEWAY_TIMEOUT_MS',
    number.int().min(1),
    30_000,
    'Time to wait for a reply if the request names none, in milliseconds',
  ),
  gatewayCors: option(
    'PARTITURA_GATEWAY_CORS',
    list,
    '',
    'Origins whose pages may call the gateway, comma-separated; `*` allows all. Empty: none',
  ),
  gatewayTlsCert: option(
    'PARTITURA_GATEWAY_TLS_CERT',
    optionalText,
    undefined,
    'File with the certificate chain of the gateway (PEM); with it, HTTP and gRPC are served over TLS. Replaced files are read again',
  ),
  gatewayTlsKey: option(
    'PARTITURA_GATEWAY_TLS_KEY',
    optionalText,
    undefined,
    'File with the private key of the certificate (PEM)',
  ),
  consoleReadOnly: option(
    'PARTITURA_CONSOLE_READ_ONLY',
    flag,
    false,
    'Let the console change nothing: no replay or drop of dead letters, no load, unload, label or drain',
  ),
  gatewayApiKeys: option(
    'PARTITURA_GATEWAY_API_KEYS',
    optionalText,
    undefined,
    'File of API keys (YAML or JSON) with their hashes and rights; with it, or with a JWKS, requests need a credential',
  ),
  gatewayJwks: option(
    'PARTITURA_GATEWAY_JWKS',
    z.url({ protocol: /^https?$/ }).optional(),
    undefined,
    'URL of the JSON Web Key Set by which tokens are verified',
  ),
  gatewayJwtIssuer: option(
    'PARTITURA_GATEWAY_JWT_ISSUER',
    optionalText,
    undefined,
    'Required issuer of tokens',
  ),
  gatewayJwtAudience: option(
    'PARTITURA_GATEWAY_JWT_AUDIENCE',
    optionalText,
    undefined,
    'Required audience of tokens',
  ),
  oipServerName: option(
    'PARTITURA_OIP_SERVER_NAME',
    text,
    'partitura',
    'Server name in the metadata of the Open Inference Protocol; some load tools expect `triton`',
  ),
};
