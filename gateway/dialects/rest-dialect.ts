import type { FastifyInstance } from 'fastify';
import type { Config } from '../../core/config/config.js';
import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { ClusterControl } from '../../operations/control/cluster-control.js';
import type { Authenticator } from '../auth/authenticator.js';
import type { DeferredReplies } from '../deferred/deferred-replies.js';
import type { Inferences } from '../inference/inferences.js';
import type { OpenedJobs } from '../jobs/opened-jobs.js';
import type { Problem } from '../inference/problem.js';
import type { ServedModels } from '../models/served-models.js';

/** Parts of a gateway that dialects use. */
export interface GatewayServices {
  readonly config: Config;
  readonly inferences: Inferences;
  readonly models: ServedModels;
  readonly directives: LiveDirectives;
  readonly control: ClusterControl;
  readonly authenticator: Authenticator;
  readonly deferred: DeferredReplies;
  readonly jobs: OpenedJobs;
}

/** A REST API that clients already speak: its routes, and how it reports errors. */
export interface RestDialect {
  readonly name: string;
  /** Returns the body of an error response. */
  errorBody(problem: Problem): object;
  /** Adds the routes; handlers throw, and the server answers with `errorBody`. */
  addRoutes(app: FastifyInstance, services: GatewayServices): void;
}
