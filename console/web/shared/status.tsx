import type { JSX } from 'preact';
import { formatTime } from './format.js';
import { away, heardAt, live, now } from './live.js';

/** Time for the first data, after which the page says that it is waiting. */
const SLOW_MS = 3_000;
const openedAt = Date.now();

/** A line in the header: connected, or the reason why the page may be out of date. */
export function Status(): JSX.Element {
  const [kind, text] = describe();
  return (
    <p class={`status ${kind}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </p>
  );
}

function describe(): [string, string] {
  if (heardAt.value === 0)
    return now.value - openedAt > SLOW_MS ? ['bad', 'Gateway does not answer'] : ['idle', 'Connecting'];
  if (away.value !== undefined) return ['bad', `Gateway away since ${formatTime(away.value)}`];
  const outage = live.cluster.value?.outage;
  if (outage) return ['bad', `Brokers away since ${formatTime(outage.since)}`];
  const nodes = (live.nodes.value ?? []).filter(({ alive }) => alive);
  if (nodes.length === 0) return ['bad', 'No node is running'];
  return ['good', nodes.length === 1 ? '1 node' : `${nodes.length} nodes`];
}

/** Explains above the content why it may be out of date; nothing while all is well. */
export function AwayNotice(): JSX.Element | null {
  const outage = live.cluster.value?.outage;
  if (away.value !== undefined)
    return (
      <p class="notice bad" role="alert">
        The gateway has not answered since {formatTime(away.value)}. Everything below is from that time; the
        page reconnects by itself.
      </p>
    );
  if (!outage) return null;
  return (
    <p class="notice bad" role="alert">
      The brokers have not answered since {formatTime(outage.since)}: {outage.reason}
    </p>
  );
}
