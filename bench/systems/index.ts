import { checkConfig } from '../../core/config/config.js';
import { KAFKA_CLIENTS } from '../../core/config/kafka.js';
import { echo } from './echo.js';
import { mlserver } from './mlserver.js';
import { ENGINES, partituraNode } from './node.js';
import { pythonWorker } from './python-worker.js';
import type { System } from './system.js';

/** The default client of a node. */
export const DEFAULT_CLIENT = checkConfig({}).kafkaClient;

/** All compared systems, in the order of the tables. */
export const SYSTEMS: readonly System[] = [
  ...KAFKA_CLIENTS.map(echo),
  ...KAFKA_CLIENTS.flatMap((client) => ENGINES.map((engine) => partituraNode(client, engine))),
  pythonWorker('python', 5),
  pythonWorker('python-no-waits', 0),
  mlserver,
];
