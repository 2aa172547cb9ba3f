import type { AppliedBinding } from '../../../cluster/bindings/store.js';
import type { KnownNode } from '../../../cluster/node-directory.js';
import type { BindingView } from '../../api/views.js';

/** Joins applied bindings with their states on live nodes. */
export function bindingViews(
  bindings: readonly AppliedBinding[],
  nodes: readonly KnownNode[],
): BindingView[] {
  return bindings.map(({ definition: { name, source, output, model }, appliedAt }) => ({
    name,
    source: source.topic,
    output: output.topic,
    model,
    appliedAt,
    nodes: nodes
      .filter(({ alive }) => alive)
      .flatMap(({ node, bindings: reported }) =>
        reported
          .filter(({ binding }) => binding === name)
          .map(({ state, message }) => ({ node, state, message: message ?? '' })),
      ),
  }));
}
