import type { FastifyRequest } from 'fastify';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { LiveNodes } from '../../cluster/live-nodes.js';
import type { KnownNode } from '../../cluster/node-directory.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { Registry } from '../../core/telemetry.js';
import type { KafkaClient } from '../../kafka/port.js';
import type { JobView } from '../api/views.js';
import type { MayUse } from './views/visible.js';

/** Parts of a gateway that the pages use. */
export interface ConsoleServices {
  readonly config: Config;
  readonly kafka: KafkaClient;
  readonly nodes: LiveNodes;
  /** Labels that were asked for. */
  readonly directives: LiveDirectives;
  readonly log: Logger;
  /** Returns the split jobs of the last week; none until they are read for the first time. */
  readonly jobs: () => readonly JobView[];
  /** Metrics of the gateway. */
  readonly registry: Registry;
  /** Returns the expected wait of a new request, milliseconds. */
  expectedWaitMs(model: string, nodes: readonly KnownNode[]): number;
  /** Checks that the caller may change the cluster. @throws Error with a status code if not */
  readonly requireControl: (request: FastifyRequest) => void;
  /** Returns which models the caller may see. */
  readonly mayUse: (request: FastifyRequest) => MayUse;
}
