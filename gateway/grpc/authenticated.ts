import type { Metadata, Server, ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Authenticator, CredentialHeaders } from '../auth/authenticator.js';
import type { Identity } from '../auth/identity.js';
import { problemOf } from '../inference/problem.js';
import { statusOf } from './failures.js';

/** Finds out who makes a call, by the metadata `authorization` or `x-api-key`. @throws FrontError UNAUTHENTICATED */
export function identify(authenticator: Authenticator, metadata: Metadata): Promise<Identity> {
  return authenticator.identify(metadata.getMap() as CredentialHeaders);
}

/** Registers services of a library, whose methods are all bidirectional, so that they need a credential. */
export function authenticated(
  server: Pick<Server, 'addService'>,
  authenticator: Authenticator,
): Pick<Server, 'addService'> {
  return {
    addService: (definition, implementation) =>
      server.addService(definition, guarded(implementation, authenticator)),
  };
}

type Stream = ServerDuplexStream<unknown, unknown>;

function guarded(
  implementation: UntypedServiceImplementation,
  authenticator: Authenticator,
): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(implementation).map(([name, method]) => [
      name,
      (call: Stream): void => {
        identify(authenticator, call.metadata).then(
          () => (method as (call: Stream) => void)(call),
          (error: unknown) => call.emit('error', statusOf(problemOf(error))),
        );
      },
    ]),
  );
}
