import type { Facts } from '../facts.js';
import type { Finding } from '../finding.js';

/** One part of a cluster that the doctor examines. */
export interface Area {
  /** The name in its findings. */
  readonly name: string;
  /** False for areas that are examined even if no broker answers. */
  readonly needsCluster: boolean;
  /** Collects what the area needs and checks it. Failed queries become findings by themselves. */
  examine(facts: Facts): Promise<readonly Finding[]>;
}
