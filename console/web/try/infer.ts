import { errorIn } from '../shared/http.js';
import type { InferBody } from './request.js';
import type { Element } from './tensors.js';

/** An output tensor; without data if the gateway answered in binary, as for FP16. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly Element[];
}

/** An answer, with what the gateway reports of its way. */
export interface Answer {
  readonly id: string;
  readonly version: string | undefined;
  readonly outputs: readonly OutputTensor[];
  /** Time from sending to the complete answer, milliseconds. */
  readonly elapsedMs: number;
  readonly node: string | undefined;
  readonly queueMs: number | undefined;
  readonly computeMs: number | undefined;
  readonly batchSize: number | undefined;
}

/** Sends a request. @throws Error with the sentence of the gateway or of the node */
export async function infer(path: string, body: InferBody, signal?: AbortSignal): Promise<Answer> {
  const startedAt = performance.now();
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const elapsedMs = performance.now() - startedAt;
  const text = jsonPart(bytes, response.headers.get('inference-header-content-length'));
  if (!response.ok) throw new Error(errorIn(text) ?? `${response.status} ${response.statusText}`);
  const parsed = parseLoosely(text) as { id?: string; model_version?: string; outputs: OutputTensor[] };
  const timing = readTiming(response.headers.get('server-timing') ?? '');
  return {
    id: parsed.id ?? '',
    version: parsed.model_version,
    outputs: parsed.outputs,
    elapsedMs,
    ...timing,
  };
}

function jsonPart(bytes: Uint8Array, length: string | null): string {
  return new TextDecoder().decode(length === null ? bytes : bytes.subarray(0, Number(length)));
}

/** Parses JSON that may have NaN and infinities as bare tokens. */
function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(/([[,])(NaN|-?Infinity)/g, '$1"$2"'));
  }
}

type Timing = Pick<Answer, 'node' | 'queueMs' | 'computeMs' | 'batchSize'>;

/** Reads the gateway's `Server-Timing` header. https://www.w3.org/TR/server-timing/ */
export function readTiming(header: string): Timing {
  const entries = new Map(
    header.split(',').map((entry) => {
      const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
      return [name, new Map(parameters.map((part) => part.split('=') as [string, string]))];
    }),
  );
  const duration = (name: string): number | undefined => numberOf(entries.get(name)?.get('dur'));
  const description = (name: string): string | undefined =>
    entries.get(name)?.get('desc')?.replaceAll('"', '');
  return {
    node: description('node'),
    queueMs: duration('queue'),
    computeMs: duration('compute'),
    batchSize: numberOf(description('batch')),
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
