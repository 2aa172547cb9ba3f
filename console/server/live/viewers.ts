import type { ServerResponse } from 'node:http';
import type { LiveEvents } from '../../api/views.js';
import type { VisibleViews } from '../views/visible.js';

/** Viewers at once; each takes a connection. */
const MAX_VIEWERS = 200;
/** Unsent bytes above which a viewer is too slow and is disconnected; its browser connects again. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** A state as it was last published. */
interface Published {
  readonly data: unknown;
  readonly text: string;
}

/**
 * Browsers that follow the event stream. An event is serialized once, whatever their number, except for callers that see
 * a part only.
 */
export class Viewers {
  readonly #viewers = new Map<ServerResponse, VisibleViews | undefined>();
  /** The last event of each name; new viewers get them first. */
  readonly #last = new Map<keyof LiveEvents, Published>();

  get count(): number {
    return this.#viewers.size;
  }

  get isFull(): boolean {
    return this.#viewers.size >= MAX_VIEWERS;
  }

  /** Sends the state so far, then all events until the viewer disconnects. @param visible undefined for everything */
  add(response: ServerResponse, history: LiveEvents['history'], visible: VisibleViews | undefined): void {
    this.#viewers.set(response, visible);
    response.once('close', () => this.#viewers.delete(response));
    const states = [...this.#last].map(([name, { data, text }]) =>
      visible ? frame(name, visible.of(name, data as never)) : text,
    );
    response.write(['retry: 2000\n\n', ...states, frame('history', history)].join(''));
  }

  /** Sends a state to all viewers if it differs from the last one of this name. */
  publish<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    const text = frame(name, data);
    if (this.#last.get(name)?.text === text) return;
    this.#last.set(name, { data, text });
    this.#send(text, (visible) => frame(name, visible.of(name, data)));
  }

  /** Sends an event that is no state. */
  emit<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    this.#send(frame(name, data), (visible) => frame(name, visible.of(name, data)));
  }

  close(): void {
    for (const response of this.#viewers.keys()) response.end();
  }

  #send(text: string, restricted: (visible: VisibleViews) => string): void {
    for (const [response, visible] of this.#viewers)
      if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
      else response.write(visible ? restricted(visible) : text);
  }
}

function frame(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
