/** Runtime of the broker: Java on this machine, or a container. */
export interface BrokerLauncher {
  readonly kind: 'java' | 'docker';
  /** Address that the broker must bind to so that it can be reached at 127.0.0.1 on this machine. */
  readonly bindHost: string;
  /** Returns the broker's path of the host's data folder. */
  folderSeenByBroker(dataDir: string): string;
  launch(launch: Launch): BrokerProcess;
}

export interface Launch {
  readonly dataDir: string;
  /** True to remove the data if this process dies without stopping the broker. */
  readonly disposable: boolean;
  readonly clusterId: string;
  readonly port: number;
  readonly heapMb: number;
  readonly log: (line: string) => void;
}

export interface BrokerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Last log lines of the broker, without stack traces. */
  readonly lastLog: string;
}

export interface BrokerProcess {
  readonly exited: Promise<BrokerExit>;
  /** Requests a graceful stop. */
  terminate(): void;
  /** Sends SIGKILL. */
  kill(): void;
}
