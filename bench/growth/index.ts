import { backlog } from './backlog.js';
import type { Growth } from './growth.js';
import { models } from './models.js';
import { nodes } from './nodes.js';
import { partitions } from './partitions.js';
import { payload } from './payload.js';

/** All dimensions in the order of the page. */
export const GROWTHS: readonly Growth[] = [nodes, partitions, backlog, models, payload];
