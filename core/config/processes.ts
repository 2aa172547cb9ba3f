import { ENGINE } from './engine.js';
import { GATEWAY } from './gateway.js';
import { COORDINATOR } from './jobs.js';
import { KAFKA } from './kafka.js';
import { NODE } from './node.js';
import type { Option } from './option.js';
import { HTTP, LOG } from './process.js';
import { REGISTRY } from './registry.js';
import { TOPICS } from './topics.js';

/** Options on one subject, as help and documentation group them. */
export interface OptionGroup {
  readonly title: string;
  readonly options: Readonly<Record<string, Option>>;
}

const kafka: OptionGroup = { title: 'Kafka', options: KAFKA };
const registry: OptionGroup = { title: 'Schema registry', options: REGISTRY };
const topics: OptionGroup = { title: 'Topics', options: TOPICS };
const engine: OptionGroup = { title: 'Models and engine', options: ENGINE };
const node: OptionGroup = { title: 'Node', options: NODE };
const gateway: OptionGroup = { title: 'Gateway', options: GATEWAY };
const coordinator: OptionGroup = { title: 'Coordinator', options: COORDINATOR };
const http: OptionGroup = { title: 'HTTP', options: HTTP };
const log: OptionGroup = { title: 'Logging', options: LOG };

export const GROUPS: readonly OptionGroup[] = [
  kafka,
  registry,
  topics,
  engine,
  node,
  gateway,
  coordinator,
  http,
  log,
];

/**
 * The groups that each kind of process reads. Every process accepts all options, so that one environment serves all of
 * them; it checks those that it does not read, too. `up` and `demo` pass the options on to the processes that they start.
 */
export const PROCESSES: Readonly<Record<string, readonly OptionGroup[]>> = {
  node: [kafka, registry, topics, engine, node, http, log],
  gateway: [kafka, topics, gateway, log],
  coordinator: [kafka, registry, topics, coordinator, http, log],
  cli: [kafka, registry, topics, log],
  client: [kafka, topics],
};

/** Returns the group of an option; undefined for an unknown name. */
export function groupOf(name: string): OptionGroup | undefined {
  return GROUPS.find(({ options }) => name in options);
}
