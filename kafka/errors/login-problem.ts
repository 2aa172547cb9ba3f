/** Parts of an error that distinguish a refused login or TLS failure from an outage. */
export interface LoginFailure {
  /** Codes, names and types of the error and its causes. */
  readonly codes: readonly string[];
  readonly message: string;
}

/** Codes of failures that only a configuration change can fix, and the option to check. */
const PROBLEMS: readonly (readonly [codes: RegExp, problem: string])[] = [
  [
    /^(UNSUPPORTED_SASL_MECHANISM)$/,
    'the broker does not offer this login mechanism: check KAFKA_SASL_MECHANISM',
  ],
  [
    /^ILLEGAL_SASL_STATE$/,
    'the broker expects no login on this port: check KAFKA_SASL_MECHANISM and KAFKA_BROKERS',
  ],
  [
    /^(SASL_AUTHENTICATION_FAILED|KafkaJSSASLAuthenticationError)$/,
    'the broker refused the login: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
  ],
  [/^CERT_HAS_EXPIRED$/, "the broker's certificate has expired: renew it on the broker"],
  [/^CERT_NOT_YET_VALID$/, "the broker's certificate is not valid yet: check the clocks"],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, "the broker's certificate is for another host: check KAFKA_BROKERS"],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|INVALID_CA|INVALID_PURPOSE)$/,
    "the broker's certificate is not signed by a trusted authority: check KAFKA_SSL_CA",
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|HTTP_REQUEST)$/,
    'this port does not use TLS: check KAFKA_SSL and KAFKA_BROKERS',
  ],
  [
    /^ERR_SSL_\w*ALERT_(BAD_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|NO_CERTIFICATE|ACCESS_DENIED)$/,
    "the broker refused this client's certificate: check KAFKA_SSL_CERT and KAFKA_SSL_KEY",
  ],
  [
    /^ERR_SSL_\w*(PROTOCOL_VERSION|HANDSHAKE_FAILURE|UNSUPPORTED_PROTOCOL|NO_SHARED_CIPHER)$/,
    'the broker and this client have no TLS version or cipher in common',
  ],
];

/** Returns a sentence that names the option to change; undefined if the failure may be temporary. */
export function loginProblem({ codes, message }: LoginFailure): string | undefined {
  if (/mechanism is not supported|not supported by the server/i.test(message)) return PROBLEMS[0]?.[1];
  const found = PROBLEMS.find(([pattern]) => codes.some((code) => pattern.test(code)));
  return found?.[1];
}

/**
 * Suggests settings to check when a connection was closed: brokers hang up silently on a client that uses the wrong
 * protocol for the port.
 */
export function hintForClosed(message: string): string {
  return /clos|disconnect|hang up|ECONNRESET|EPROTO/i.test(message)
    ? ' (if this persists, check that KAFKA_SSL and KAFKA_SASL_MECHANISM match this port)'
    : '';
}
