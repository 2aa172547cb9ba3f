import { createServer } from 'node:net';

export const loopback = '127.0.0.1';

// Below the range from which Linux takes ports for outgoing connections (32768 and up), so that a free port is not
// taken by a connection while the broker is starting.
const lowest = 20_000;
const count = 12_000;

/** Returns a port of 127.0.0.1 that is currently free. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = lowest + Math.floor(Math.random() * count);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found on ${loopback} between ${lowest} and ${lowest + count} in 100 tries`);
}

/** @param flag flag that selects another port, for the message @throws Error if the port is in use */
export async function assertPortFree(port: number, flag = '--broker-port'): Promise<void> {
  if (await isFree(port)) return;
  throw new Error(`port ${port} on ${loopback} is in use by another program; choose another with ${flag}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(new Error(`port ${port} on ${loopback} cannot be used: ${error.message}`));
    });
    server.listen({ port, host: loopback, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
