import { z } from 'zod';
import { option, port, text } from './option.js';

/** Options of processes with an HTTP server for their metrics and health. */
export const HTTP = {
  httpHost: option(
    'PARTITURA_HTTP_HOST',
    text,
    '127.0.0.1',
    'Address on which /metrics, /healthz and /readyz are served',
  ),
  httpPort: option(
    'PARTITURA_HTTP_PORT',
    port,
    0,
    'Port of /metrics, /healthz and /readyz; 0 picks a free port',
  ),
};

/** Options of every process that logs. */
export const LOG = {
  logLevel: option(
    'PARTITURA_LOG_LEVEL',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    'info',
    'Minimum level of log messages',
  ),
};
