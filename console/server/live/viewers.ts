import type { ServerResponse } from 'node:http';
import type { LiveEvents } from '../../api/views.js';

/** Viewers at once; each takes a connection. */
const MAX_VIEWERS = 200;
/** Unsent bytes above which a viewer is too slow and is disconnected; its browser connects again. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/** Browsers that follow the event stream. An event is serialized once, whatever their number. */
export class Viewers {
  readonly #responses = new Set<ServerResponse>();
  /** The last event of each name; new viewers get them first. */
  readonly #last = new Map<keyof LiveEvents, string>();

  get count(): number {
    return this.#responses.size;
  }

  get isFull(): boolean {
    return this.#responses.size >= MAX_VIEWERS;
  }

  /** Sends the state so far, then all events until the viewer disconnects. */
  add(response: ServerResponse, history: LiveEvents['history']): void {
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
    response.write(['retry: 2000\n\n', ...this.#last.values(), frame('history', history)].join(''));
  }

  /** Sends a state to all viewers if it differs from the last one of this name. */
  publish<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    const text = frame(name, data);
    if (this.#last.get(name) === text) return;
    this.#last.set(name, text);
    this.#send(text);
  }

  /** Sends an event that is no state. */
  emit<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    this.#send(frame(name, data));
  }

  close(): void {
    for (const response of this.#responses) response.end();
  }

  #send(text: string): void {
    for (const response of this.#responses)
      if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
      else response.write(text);
  }
}

function frame(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
