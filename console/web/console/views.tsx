import type { JSX } from 'preact';
import { BindingsView } from './bindings.js';
import { DeadLetterView } from './dead-letter.js';
import { DeadLettersView } from './dead-letters.js';
import { JobView, JobsView } from './jobs.js';
import { ModelView, ModelsView } from './models.js';
import { NodeView, NodesView } from './nodes.js';
import { Overview } from './overview.js';
import { RequestView, RequestsView } from './requests.js';
import { TopicView, TopicsView } from './topics.js';

interface ViewDefinition {
  /** First part of the address after `/console/`. */
  readonly path: string;
  readonly title: string;
  /** @param rest the other parts of the address */
  render(rest: readonly string[]): JSX.Element;
}

/** Views of the console, in the order of its list. A new one is a file and an entry here. */
export const VIEWS: readonly ViewDefinition[] = [
  { path: '', title: 'Overview', render: () => <Overview /> },
  {
    path: 'nodes',
    title: 'Nodes',
    render: ([name]) => (name === undefined ? <NodesView /> : <NodeView name={name} />),
  },
  {
    path: 'models',
    title: 'Models',
    render: ([name]) => (name === undefined ? <ModelsView /> : <ModelView name={name} />),
  },
  {
    path: 'topics',
    title: 'Topics',
    render: ([name]) => (name === undefined ? <TopicsView /> : <TopicView name={name} />),
  },
  {
    path: 'jobs',
    title: 'Jobs',
    render: ([id]) => (id === undefined ? <JobsView /> : <JobView id={id} />),
  },
  { path: 'bindings', title: 'Bindings', render: () => <BindingsView /> },
  {
    path: 'dead-letters',
    title: 'Dead letters',
    render: (place) => (place.length === 3 ? <DeadLetterView place={place} /> : <DeadLettersView />),
  },
  {
    path: 'requests',
    title: 'Requests',
    render: ([id]) => (id === undefined ? <RequestsView /> : <RequestView id={id} />),
  },
];
