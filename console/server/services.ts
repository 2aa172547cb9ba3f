import type { LiveDirectives } from '../../cluster/control/live-directives.js';
import type { LiveNodes } from '../../cluster/live-nodes.js';
import type { KnownNode } from '../../cluster/node-directory.js';
import type { Config } from '../../core/config/config.js';
import type { Logger } from '../../core/log.js';
import type { Registry } from '../../core/telemetry.js';
import type { KafkaClient } from '../../kafka/port.js';
import type { ClusterControl } from '../../operations/control/cluster-control.js';

/** Parts of a gateway that the pages use. */
export interface ConsoleServices {
  readonly config: Config;
  readonly kafka: KafkaClient;
  readonly live: LiveNodes;
  readonly log: Logger;
  /** Metrics of the gateway. */
  readonly registry: Registry;
  /** Loads models and drains nodes; undefined where the gateway does not. */
  readonly control?: ClusterControl | undefined;
  /** Labels and versions that were asked for. */
  readonly directives?: LiveDirectives | undefined;
  /** Returns the expected wait of a new request, milliseconds. */
  expectedWaitMs(model: string, nodes: readonly KnownNode[]): number;
}
