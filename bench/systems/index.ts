import { KAFKA_CLIENTS } from '../../core/config.js';
import { echo } from './echo.js';
import { mlserver } from './mlserver.js';
import { partituraNode, type EngineName } from './node.js';
import { pythonWorker } from './python-worker.js';
import type { System } from './system.js';

const ENGINES: readonly EngineName[] = ['tensorflow', 'onnx'];

/** Everything that is compared, in the order of the tables. */
export const SYSTEMS: readonly System[] = [
  ...KAFKA_CLIENTS.map(echo),
  ...KAFKA_CLIENTS.flatMap((client) => ENGINES.map((engine) => partituraNode(client, engine))),
  pythonWorker('python', 5),
  pythonWorker('python-no-waits', 0),
  mlserver,
];
