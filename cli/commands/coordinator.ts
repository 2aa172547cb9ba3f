import { Coordinator } from '../../coordinator/coordinator.js';
import type { Config } from '../../core/config/config.js';
import { createLogger } from '../../core/log.js';
import { createKafkaClient } from '../../kafka/client.js';
import { print, printJson } from '../output.js';
import { exitSoon, exitWithin, releaseParent, stopSignal, stopped, unlessStopped } from '../signals.js';

/** Time for leaving the group when the coordinator stops, milliseconds. */
const STOP_LIMIT_MS = 15_000;

/** Runs a coordinator until a stop signal. @throws Error if it cannot start or continue */
export async function runCoordinator(config: Config, { json }: { readonly json: boolean }): Promise<void> {
  const signal = stopSignal();
  const log = createLogger('partitura-coordinator', config.logLevel);
  void stopped(signal).then((by) => {
    log.info({ by }, 'coordinator is stopping; another one continues its jobs');
    exitWithin(STOP_LIMIT_MS, () => log.fatal('coordinator did not stop in time; exiting'));
  });
  const kafka = createKafkaClient(config, 'partitura-coordinator', log);
  const coordinator = await Coordinator.create(config, kafka, log);
  try {
    const started = coordinator.start().then(() => true);
    if (await unlessStopped(started, signal)) await serve(coordinator, json, stopped(signal));
  } finally {
    await coordinator.close();
    releaseParent();
    exitSoon();
  }
}

async function serve(coordinator: Coordinator, json: boolean, stopped: Promise<string>): Promise<void> {
  const ready = { coordinator: coordinator.id, health: coordinator.healthUrl };
  process.send?.(ready);
  if (json) printJson({ event: 'ready', ...ready });
  else print(`ready coordinator=${ready.coordinator} health=${ready.health}`);
  const end = await Promise.race([coordinator.failed, stopped]);
  if (end instanceof Error) throw end;
}
