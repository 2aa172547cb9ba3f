// The least that a server of HTTP in Node does: it reads the body and answers what the model would.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CLASSES } from '../../examples/digits/dataset.js';
import { MODEL } from './requests.js';

const answers = readFileSync(join(process.argv[2] ?? '', `${MODEL}.expected`));
const data = Array.from({ length: CLASSES }, (_, index) => answers.readFloatLE(index * 4));
const answer = Buffer.from(JSON.stringify({ outputs: [{ name: 'probabilities', data }] }));
const headers = { 'content-type': 'application/json', 'content-length': answer.length };

const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, headers).end(answer));
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
