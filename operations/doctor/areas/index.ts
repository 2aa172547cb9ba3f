import type { Area } from './area.js';
import { brokers } from './brokers.js';
import { clocks } from './clocks.js';
import { groups } from './groups.js';
import { nodes } from './nodes.js';
import { registry } from './registry.js';
import { rights } from './rights.js';
import { topics } from './topics.js';
import { versions } from './versions.js';

/** The areas in the order of the report. */
export const AREAS: readonly Area[] = [brokers, versions, topics, groups, nodes, rights, clocks, registry];
