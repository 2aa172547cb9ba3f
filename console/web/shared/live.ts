import { batch, computed, effect, signal } from '@preact/signals';
import type { LiveEvents, TrafficPoint } from '../../api/views.js';

/** Time without an event after which the gateway is considered away; it sends one every second. */
const SILENT_AFTER_MS = 5_000;
const HISTORY_POINTS = 300;

type States = Omit<LiveEvents, 'history' | 'point'>;

/** The state as last received; undefined before it arrives. */
export const live = {
  cluster: signal<States['cluster'] | undefined>(undefined),
  nodes: signal<States['nodes'] | undefined>(undefined),
  models: signal<States['models'] | undefined>(undefined),
  waits: signal<States['waits'] | undefined>(undefined),
  topics: signal<States['topics'] | undefined>(undefined),
  bindings: signal<States['bindings'] | undefined>(undefined),
  jobs: signal<States['jobs'] | undefined>(undefined),
  points: signal<readonly TrafficPoint[]>([]),
};

/** True while the view is frozen. */
export const paused = signal(false);
/** Time of the last event; 0 before the first. */
export const heardAt = signal(0);
/** The current time, updated every second. */
export const now = signal(Date.now());
/** Time since which the gateway has not answered; undefined while it does. */
export const away = computed(() =>
  heardAt.value > 0 && now.value - heardAt.value > SILENT_AFTER_MS ? heardAt.value : undefined,
);

/** States that arrived during a pause, applied at its end. */
const held = new Map<keyof States, () => void>();
let heldPoints: TrafficPoint[] = [];

/** Follows the event stream of this page; the browser reconnects by itself. */
export function follow(): void {
  const source = new EventSource('/console/api/events');
  const on = <Name extends keyof LiveEvents>(name: Name, apply: (data: LiveEvents[Name]) => void): void =>
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      heardAt.value = Date.now();
      apply(JSON.parse(data) as LiveEvents[Name]);
    });
  const state = <Name extends keyof States>(name: Name): void =>
    on(name, (data) => hold(name, () => (live[name].value = data as never)));
  for (const name of ['cluster', 'nodes', 'models', 'waits', 'topics', 'bindings', 'jobs'] as const)
    state(name);
  on('history', (points) => (live.points.value = points));
  on('point', addPoint);
  setInterval(() => (now.value = Date.now()), 1_000);
  effect(() => {
    if (!paused.value) release();
  });
}

function hold(name: keyof States, apply: () => void): void {
  if (paused.peek()) held.set(name, apply);
  else apply();
}

function addPoint(point: TrafficPoint): void {
  if (paused.peek()) heldPoints = [...heldPoints, point].slice(-HISTORY_POINTS);
  else live.points.value = [...live.points.value, point].slice(-HISTORY_POINTS);
}

function release(): void {
  batch(() => {
    for (const apply of held.values()) apply();
    held.clear();
    if (heldPoints.length > 0)
      live.points.value = [...live.points.peek(), ...heldPoints].slice(-HISTORY_POINTS);
    heldPoints = [];
  });
}
