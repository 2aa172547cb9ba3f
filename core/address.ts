/** Address of a broker's listener. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** Java's clients accept and ignore a security protocol before the address. */
const PROTOCOL = /^(?:PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL):\/\//i;
const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+(?:%[0-9A-Za-z._-]+)?)\]|([0-9A-Za-z._-]+)):([0-9]{1,5})$/;
const MAX_PORT = 65_535;

/** Parses `host:port`, with IPv6 hosts in brackets; undefined for anything else. */
export function parseAddress(text: string): BrokerAddress | undefined {
  const [, ipv6, name, digits] = ADDRESS.exec(text.replace(PROTOCOL, '')) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  return host === undefined || port < 1 || port > MAX_PORT ? undefined : { host, port };
}

/** Formats an address, the inverse of `parseAddress`. */
export function formatAddress({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @throws RangeError */
export function mustParseAddress(text: string): BrokerAddress {
  const address = parseAddress(text);
  if (address) return address;
  throw new RangeError(`broker address: expected host:port, got '${text}'`);
}
