import type { Config } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { startTracing } from '../../core/tracing.js';
import { startGateway, type Gateway } from '../../gateway/gateway.js';
import { createKafkaClient } from '../../kafka/client.js';
import { print, printJson } from '../output.js';
import { exitSoon, exitWithin, releaseParent, stopSignal, stopped, unlessStopped } from '../signals.js';

/** Time for requests in flight when the gateway stops, milliseconds, beyond their own timeouts. */
const STOP_SLACK_MS = 15_000;

/** Runs a gateway until a stop signal. @throws KafkaError or PartituraError if it cannot start */
export async function runGateway(
  config: Config,
  { json }: { readonly json: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const signal = stopSignal();
  const log = createLogger('partitura-gateway', config.logLevel);
  void stopped(signal).then((by) => {
    log.info({ by }, 'gateway is stopping');
    exitWithin(config.gatewayTimeoutMs + STOP_SLACK_MS, () =>
      log.fatal('gateway did not stop in time; exiting with requests in flight'),
    );
  });
  const tracing = await startTracing(environment, 'partitura-gateway', String(process.pid), log);
  try {
    const kafka = createKafkaClient(config, 'partitura-gateway', log);
    const gateway = await unlessStopped(startGateway(config, kafka, log), signal);
    if (gateway) await serve(gateway, json, stopped(signal));
  } finally {
    await tracing?.stop();
    releaseParent();
    exitSoon();
  }
}

async function serve(gateway: Gateway, json: boolean, stopped: Promise<string>): Promise<void> {
  const ready = { gateway: gateway.url, grpc: gateway.grpcAddress };
  process.send?.(ready);
  if (json) printJson({ event: 'ready', ...ready });
  else print(`ready gateway=${ready.gateway} grpc=${ready.grpc}`);
  await stopped;
  await gateway.close();
}
