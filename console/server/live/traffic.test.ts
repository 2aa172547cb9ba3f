import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Histogram, Registry } from '../../../core/telemetry.js';
import { readTotals, trafficBetween } from './traffic.js';

test('rates and quantiles are those of the time between two readings, without the own routes', async () => {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'partitura_gateway_requests_total',
    help: 'requests',
    labelNames: ['dialect', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'partitura_gateway_request_seconds',
    help: 'seconds',
    labelNames: ['dialect'],
    buckets: [0.01, 0.1, 1],
    registers,
  });
  const answer = (dialect: string, status: string, took: number): void => {
    requests.inc({ dialect, status });
    seconds.observe({ dialect }, took);
  };
  answer('open-inference', '200', 0.5);
  const before = await readTotals(registry);
  for (let count = 0; count < 6; count++) answer('open-inference', '200', 0.005);
  answer('open-inference', '404', 0.05);
  answer('grpc', '5', 0.05);
  answer('gateway', '500', 0.5);
  const traffic = trafficBetween(before, await readTotals(registry), 2);
  assert.equal(traffic.answered, 4);
  assert.equal(traffic.failed, 1);
  // Four of eight are two thirds of the way through the six in the first bucket.
  assert.ok(Math.abs((traffic.p50 ?? 0) - (10 * 4) / 6) < 1e-9);
  assert.ok(Math.abs((traffic.p95 ?? 0) - (10 + (90 * 1.6) / 2)) < 1e-9);
  assert.equal(trafficBetween(before, before, 1).p50, null);
});
