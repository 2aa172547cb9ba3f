import type { JSX } from 'preact';
import { formatCount, plural } from '../shared/format.js';
import { live } from '../shared/live.js';
import { Facts } from '../shared/table.js';
import { NodesView } from './nodes.js';
import { Plot, type Series } from './plot.js';
import { to } from './router.js';

const THROUGHPUT: readonly Series[] = [
  { label: 'arrived in topics', color: '--line-a', valueOf: ({ arrived }) => arrived },
  { label: 'answered by this gateway', color: '--line-b', valueOf: ({ answered }) => answered },
  { label: 'failed', color: '--line-c', valueOf: ({ failed }) => failed },
];
const LATENCY: readonly Series[] = [
  { label: 'median', color: '--line-a', valueOf: ({ p50 }) => p50 },
  { label: '95th percentile', color: '--line-b', valueOf: ({ p95 }) => p95 },
];
const BACKLOG: readonly Series[] = [
  { label: 'lag', color: '--line-a', valueOf: ({ lag }) => lag },
  { label: 'in flight', color: '--line-b', valueOf: ({ inflight }) => inflight },
];

/** The state of the cluster at a glance. */
export function Overview(): JSX.Element {
  return (
    <>
      <Totals />
      <div class="plots">
        <Plot title="Throughput" unit="requests per second" series={THROUGHPUT} />
        <Plot title="Latency of this gateway" unit="ms" series={LATENCY} />
        <Plot title="Backlog" unit="records" series={BACKLOG} />
      </div>
      <section>
        <h2>Nodes</h2>
        <NodesView />
      </section>
    </>
  );
}

function Totals(): JSX.Element {
  const { nodes, models, topics, cluster } = live;
  const alive = nodes.value?.filter((node) => node.alive).length;
  const silent = (nodes.value?.length ?? 0) - (alive ?? 0);
  const available = models.value?.filter(({ versions }) =>
    versions.some(({ state }) => state === 'AVAILABLE'),
  ).length;
  const lag = topics.value?.reduce((sum, topic) => sum + (topic.lag ?? 0), 0);
  return (
    <Facts
      facts={[
        [
          'Nodes',
          <a href={to('nodes')}>
            {alive === undefined ? '…' : `${alive} live${silent > 0 ? `, ${silent} silent` : ''}`}
          </a>,
        ],
        ['Models', <a href={to('models')}>{available === undefined ? '…' : plural(available, 'model')}</a>],
        ['Lag', <a href={to('topics')}>{lag === undefined ? '…' : `${formatCount(lag)} records`}</a>],
        ['Brokers', cluster.value?.brokers.join(', ') ?? '…'],
        ['Mode', cluster.value?.readOnly ? 'read only' : 'read and write'],
      ]}
    />
  );
}
