import { eventually } from './eventually.js';
import { call } from './http.js';

/** Waits until a gateway, without authentication, serves this many models. */
export function modelsServed(url: string, count: number): Promise<void> {
  return eventually('the models are served', async () => {
    const { body } = await call(`${url}/readyz`);
    return (body as { models: string[] }).models.length === count;
  });
}
