/** What the broker is started from: Java on this machine, or a container. */
export interface BrokerLauncher {
  readonly kind: 'java' | 'docker';
  /** The address the broker must bind to so that 127.0.0.1 of this machine reaches it. */
  readonly bindHost: string;
  /** Where the broker sees the host's data folder. */
  folderSeenByBroker(dataDir: string): string;
  launch(launch: Launch): BrokerProcess;
}

export interface Launch {
  readonly dataDir: string;
  /** The data go when our process dies without having stopped the broker. */
  readonly disposable: boolean;
  readonly clusterId: string;
  readonly port: number;
  readonly heapMb: number;
  readonly log: (line: string) => void;
}

export interface BrokerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The broker's last log lines, without stack traces. */
  readonly lastLog: string;
}

export interface BrokerProcess {
  readonly exited: Promise<BrokerExit>;
  /** Asks for an orderly end. */
  terminate(): void;
  /** SIGKILL, at once. */
  kill(): void;
}
