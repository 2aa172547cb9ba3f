import { checkModelName, isModelName } from '../schemas/model-name.js';
import { wildcard } from '../schemas/headers/wildcard.js';

/** Names of topics, groups and registry subjects; built and parsed only here. */
const REQUESTS = 'requests';
/** Stands for a model in the names of topics and groups of split jobs. */
export const JOBS = 'jobs';
const DEAD_LETTERS = `${REQUESTS}-dlt`;

export interface TopicNames {
  readonly prefix: string;
  /** Request topic of a model. */
  requests(model: string): string;
  /** Reply topic of requests that name none. */
  replies(model: string): string;
  /** Topic of the model's requests that cannot be processed. */
  deadLetters(model: string): string;
  /** Consumer group of the nodes that serve one model. */
  group(model: string): string;
  /** Consumer group of the nodes that run one binding. */
  bindingGroup(binding: string): string;
  /** Registry subject of the request schema. */
  requestsSubject(model: string): string;
  /** Registry subject of the reply schema, for all reply topics. */
  repliesSubject(model: string): string;
  /** Applied bindings, compacted. */
  readonly bindings: string;
  /** Dead letters that were replayed or dropped, compacted. */
  readonly handledLetters: string;
  /** Desired state: directives for models and nodes, compacted. */
  readonly control: string;
  /** Status of nodes, compacted. */
  readonly nodes: string;
  /** Replies to our own client library, shared by all clients, each reading one partition. */
  readonly clientReplies: string;
  /** Replies to requests that nobody waits for, found later by their id. */
  readonly deferredReplies: string;
  /** Correlation ids of requests that their callers have abandoned. */
  readonly cancellations: string;
  /** Split jobs; their results go to `replies(JOBS)` unless they name a topic. */
  readonly jobs: string;
  /** Status of split jobs and orders to cancel them, compacted. */
  readonly jobStatus: string;
  /** Topics that hold the cluster's own state, compacted. */
  readonly state: readonly string[];
  /** Topics reserved for the cluster itself, `state` included. */
  readonly own: readonly string[];
  /** Inverse of `requests`; undefined if `topic` is not a request topic. */
  modelOf(topic: string): string | undefined;
  /** Inverse of `deadLetters`. */
  modelOfDeadLetters(topic: string): string | undefined;
}

/** @param prefix letters, digits, `_` and `-` */
export function topicNames(prefix: string): TopicNames {
  const requests = (model: string): string => `${prefix}.${checkModelName(model)}.${REQUESTS}`;
  const replies = (model: string): string => `${prefix}.${checkModelName(model)}.replies`;
  const state = {
    bindings: `${prefix}.bindings`,
    control: `${prefix}.control`,
    nodes: `${prefix}.nodes`,
    handledLetters: `${prefix}.dead-letters`,
  };
  const cancellations = `${prefix}.cancellations`;
  const jobs = { jobs: `${prefix}.${JOBS}`, jobStatus: `${prefix}.${JOBS}.status` };
  const modelBefore = (ending: string, topic: string): string | undefined => {
    const matches = topic.startsWith(`${prefix}.`) && topic.endsWith(`.${ending}`);
    const model = matches ? topic.slice(prefix.length + 1, -(ending.length + 1)) : '';
    return isModelName(model) ? model : undefined;
  };
  return {
    prefix,
    requests,
    replies,
    requestsSubject: (model) => `${requests(model)}-value`,
    repliesSubject: (model) => `${replies(model)}-value`,
    deadLetters: (model) => `${prefix}.${checkModelName(model)}.${DEAD_LETTERS}`,
    group: (model) => `${prefix}.${checkModelName(model)}`,
    bindingGroup: (binding) => `${prefix}.bindings.${checkModelName(binding)}`,
    ...state,
    cancellations,
    ...jobs,
    state: Object.values(state),
    own: [...Object.values(state), cancellations, ...Object.values(jobs)],
    clientReplies: `${prefix}.client-replies`,
    deferredReplies: `${prefix}.deferred-replies`,
    modelOf: (topic) => modelBefore(REQUESTS, topic),
    modelOfDeadLetters: (topic) => modelBefore(DEAD_LETTERS, topic),
  };
}

/**
 * Decides which reply topics a sender may name: an unrestricted reply topic would let every sender write to any
 * topic. Request topics, dead letters and internal topics are never allowed, regardless of the patterns.
 * @param patterns names with `*` as wildcard; empty: names that end in `replies` or have it as a segment, and
 * NestJS's, which end in `.reply`
 * @param never the cluster's own topics
 */
export function replyTopicPolicy(
  patterns: readonly string[],
  never: readonly string[] = [],
): (topic: string) => boolean {
  const allowed =
    patterns.length === 0 ? [/(^|[.\-_])replies([.\-_]|$)|replies$|[.]reply$/] : patterns.map(wildcard);
  return (topic) =>
    /^[A-Za-z0-9._-]{1,249}$/.test(topic) &&
    !/(^|[.\-_])requests$|-dlt$|^__/.test(topic) &&
    !never.includes(topic) &&
    allowed.some((pattern) => pattern.test(topic));
}
