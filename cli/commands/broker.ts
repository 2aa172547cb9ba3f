import { startLocalBroker } from '../../deploy/local/broker.js';
import { print, printJson, say } from '../output.js';
import { stopSignal } from '../signals.js';

export interface BrokerFlags {
  readonly brokerPort: number;
  readonly data?: string;
  readonly json: boolean;
}

/** Runs a Kafka broker in the foreground until it is told to stop. @throws Error when it can't start or ends by itself */
export async function runBroker({ brokerPort, data, json }: BrokerFlags): Promise<void> {
  const stopped = stopSignal();
  const broker = await startLocalBroker({
    port: brokerPort,
    ...(data === undefined ? {} : { dataDir: data }),
    log: say,
  });
  if (json) printJson({ event: 'ready', brokers: [broker.bootstrap] });
  else print(`ready ${broker.bootstrap}`);
  const ended = await Promise.race([stopped, broker.exited]);
  await broker.stop();
  if (typeof ended !== 'string') throw new Error(`the broker ended: ${ended.lastLog}`);
}
