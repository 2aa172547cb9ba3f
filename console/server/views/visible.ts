import type { TopicNames } from '../../../cluster/topics.js';
import type { BindingView, LiveEvents, NodeView, TopicView } from '../../api/views.js';

/** Decides which models a caller may see; undefined for all. */
export type MayUse = ((model: string) => boolean) | undefined;

/** The part of the console's views that a caller may see: the models that it may use, and what belongs to no model. */
export class VisibleViews {
  constructor(
    readonly mayUse: NonNullable<MayUse>,
    readonly names: TopicNames,
  ) {}

  /** Returns the visible part of a view. */
  of<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): LiveEvents[Name] {
    const parts: { [N in keyof LiveEvents]?: (view: LiveEvents[N]) => LiveEvents[N] } = {
      nodes: (nodes) => nodes.map((node) => this.#node(node)),
      models: (models) => models.filter((model) => this.mayUse(model.name)),
      waits: (waits) => Object.fromEntries(Object.entries(waits).filter(([model]) => this.mayUse(model))),
      topics: (topics) => topics.filter((topic) => this.#isVisible(topic)),
      // A job does not say which models it uses.
      jobs: () => [],
      bindings: (bindings) => bindings.filter(({ model }: BindingView) => this.mayUse(model)),
    };
    return parts[name]?.(data) ?? data;
  }

  /** Folders that a node skips are named by models, too. */
  #node(node: NodeView): NodeView {
    return {
      ...node,
      models: node.models.filter(({ model }) => this.mayUse(model)),
      partitions: node.partitions.filter(({ topic }) => this.#isOfVisibleModel(topic)),
      skippedFolders: [],
    };
  }

  /** Sources and dead letters of bindings have names of their own, so that they cannot be attributed to a model. */
  #isVisible({ topic, role }: TopicView): boolean {
    return role === 'cluster' ? this.#isOfVisibleModel(topic) : this.#modelOf(topic, role) !== undefined;
  }

  #modelOf(topic: string, role: TopicView['role']): string | undefined {
    const model = role === 'replies' ? modelOfReplies(topic, this.names) : this.#modelOfTopic(topic);
    return model !== undefined && this.mayUse(model) ? model : undefined;
  }

  #isOfVisibleModel(topic: string): boolean {
    const model = this.#modelOfTopic(topic);
    return model === undefined || this.mayUse(model);
  }

  #modelOfTopic(topic: string): string | undefined {
    return this.names.modelOf(topic) ?? this.names.modelOfDeadLetters(topic);
  }
}

function modelOfReplies(topic: string, names: TopicNames): string | undefined {
  return names.modelOf(topic.replace(/\.replies$/, '.requests'));
}
