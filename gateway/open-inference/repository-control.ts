import type { DirectiveOutcome } from '../../operations/control/outcome.js';
import { invalidRequest } from '../../schemas/errors.js';
import { unsupported } from './unsupported.js';

/** Options of load and unload; the time that they wait for the nodes in milliseconds. */
export const COMMAND = { requestedBy: 'the Open Inference Protocol', limitMs: 120_000 };

/** Returns an empty answer if all nodes complied. @throws PartituraError that names the others */
export function complied({ settled, nodes }: DirectiveOutcome, problem: string): object {
  const refused = nodes.filter(({ ok }) => !ok).map(({ node, reason }) => `${node}: ${reason}`);
  if (settled && refused.length === 0) return {};
  const reasons = settled ? refused : [...refused, 'other nodes have not answered yet'];
  throw invalidRequest(`${problem}: ${reasons.join('; ')}`);
}

/** Refuses a configuration or files with a load: models come from the repositories of nodes. */
export function refuseParameters(parameters: Readonly<Record<string, unknown>>): void {
  const [name] = Object.keys(parameters);
  if (name !== undefined) throw unsupported(`parameters.${name}: loading a model takes no parameters`);
}
