import { startLocalBroker } from '../../local-cluster/broker.js';
import { print, printJson, printError } from '../output.js';
import { stopSignal, stopped, unlessStopped } from '../signals.js';

export interface BrokerFlags {
  readonly brokerPort: number;
  readonly data?: string;
  readonly json: boolean;
}

/** Runs a Kafka broker in the foreground until it is told to stop. @throws Error when it can't start or ends by itself */
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
  if (typeof ended !== 'string') throw new Error(`the broker ended: ${ended.lastLog}`);
}
