import type { JSX } from 'preact';
import type { PartitionView, TopicView as Topic } from '../../api/views.js';
import { formatCount } from '../shared/format.js';
import { live } from '../shared/live.js';
import { Facts, Table, type Column } from '../shared/table.js';
import { to } from './router.js';

const COLUMNS: readonly Column<Topic>[] = [
  { title: 'Topic', cell: ({ topic }) => <a href={to('topics', topic)}>{topic}</a> },
  { title: 'Role', cell: ({ role }) => role },
  { title: 'Partitions', number: true, cell: ({ partitions }) => partitions.length },
  { title: 'Records', number: true, cell: ({ records }) => formatCount(records) },
  { title: 'Lag', number: true, cell: ({ lag }) => (lag === null ? '' : <Lag records={lag} />) },
  { title: 'Owners', cell: ({ partitions }) => ownersText(partitions) },
];

function Lag({ records }: { readonly records: number }): JSX.Element {
  return records > 0 ? <strong class="lag">{formatCount(records)}</strong> : <>0</>;
}

function ownersText(partitions: readonly PartitionView[]): string {
  return [...new Set(partitions.flatMap(({ owner }) => owner ?? []))].sort().join(', ');
}

export function TopicsView(): JSX.Element {
  return (
    <Table
      caption="Topics"
      columns={COLUMNS}
      rows={live.topics.value}
      empty="The cluster has no topics yet."
      keyOf={({ topic }) => topic}
    />
  );
}

/** One topic with its partitions, their owners and their lag. */
export function TopicView({ name }: { readonly name: string }): JSX.Element {
  const topic = live.topics.value?.find((one) => one.topic === name);
  if (live.topics.value === undefined) return <p class="waiting">Waiting for data…</p>;
  if (!topic) return <p class="notice">The cluster has no topic of this name.</p>;
  const hasGroup = topic.lag !== null;
  return (
    <>
      <Facts
        facts={[
          ['Role', topic.role],
          ['Records', formatCount(topic.records)],
          ...(hasGroup ? ([['Lag', <Lag records={topic.lag ?? 0} />]] as const) : []),
          ...(topic.role === 'requests' && topic.reader !== null
            ? ([['Model', <a href={to('models', topic.reader)}>{topic.reader}</a>]] as const)
            : []),
        ]}
      />
      <Table
        caption={`Partitions of ${name}`}
        columns={[
          { title: 'Partition', number: true, cell: ({ partition }) => partition },
          { title: 'Oldest offset', number: true, cell: ({ start }) => formatCount(start) },
          { title: 'Next offset', number: true, cell: ({ end }) => formatCount(end) },
          ...(hasGroup ? GROUP_COLUMNS : []),
        ]}
        rows={topic.partitions}
        empty="The topic has no partitions."
        keyOf={({ partition }) => partition}
      />
    </>
  );
}

const GROUP_COLUMNS: readonly Column<PartitionView>[] = [
  {
    title: 'Committed',
    number: true,
    cell: ({ committed }) => (committed === null ? 'none' : formatCount(committed)),
  },
  { title: 'Lag', number: true, cell: ({ lag }) => <Lag records={lag ?? 0} /> },
  {
    title: 'Owner',
    cell: ({ owner }) => (owner === null ? 'none' : <a href={to('nodes', owner)}>{owner}</a>),
  },
];
