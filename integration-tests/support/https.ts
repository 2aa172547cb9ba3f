import { readFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';

export interface SecureResponse {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Sends a request over TLS, trusting a certificate of a file only. */
export function callSecurely(
  url: string,
  certificate: string,
  { body, ...options }: RequestOptions & { readonly body?: string } = {},
): Promise<SecureResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        ca: readFileSync(certificate),
        agent: false,
        method: body === undefined ? 'GET' : 'POST',
        ...options,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}
