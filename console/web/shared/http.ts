/** Fetches JSON of this gateway. @throws Error with the gateway's sentence if it refuses */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await fetch(path, { headers: { accept: 'application/json' }, signal: signal ?? null }));
}

/** Sends JSON to this gateway. @throws Error with the gateway's sentence if it refuses */
export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return read<T>(await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  throw new Error(errorIn(text) ?? `${response.status} ${response.statusText}`);
}

/** Returns the sentence of an error response. */
export function errorIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}
