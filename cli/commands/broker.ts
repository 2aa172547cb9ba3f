import { startLocalBroker } from '../../local-cluster/broker.js';
import { print, printJson, printError } from '../output.js';
import { stopSignal, stopped, unlessStopped } from '../signals.js';

export interface BrokerFlags {
  readonly brokerPort: number;
  readonly data?: string;
  readonly json: boolean;
}

/** Runs a Kafka broker in the foreground until a stop signal. @throws Error if it cannot start or exits unexpectedly */
export async function runBroker({ brokerPort, data, json }: BrokerFlags): Promise<void> {
  const signal = stopSignal();
  const starting = startLocalBroker({
    port: brokerPort,
    ...(data === undefined ? {} : { dataDir: data }),
    log: printError,
    signal,
  });
  const broker = await unlessStopped(starting, signal);
  if (!broker) return;
  if (json) printJson({ event: 'ready', brokers: [broker.bootstrap] });
  else print(`ready ${broker.bootstrap}`);
  const ended = await Promise.race([stopped(signal), broker.exited]);
  await broker.stop();
  if (typeof ended !== 'string') throw new Error(`broker exited unexpectedly: ${ended.lastLog}`);
}
