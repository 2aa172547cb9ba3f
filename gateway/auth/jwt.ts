import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import type { Config } from '../../core/config/config.js';
import { Identity, unauthenticated } from './identity.js';

/** Identities kept, so that quotas outlive a request. */
const MAX_IDENTITIES = 10_000;
/** Scope that allows directives to the cluster. */
const CONTROL_SCOPE = 'partitura:control';

/** Verifies a token and returns its subject. @throws FrontError 401 with the reason */
export type VerifyToken = (token: string) => Promise<Identity>;

/**
 * Creates the verification of JSON Web Tokens by the keys of a JWKS. The claim `models` lists model patterns (default:
 * all), `requests_per_second` is a quota, and the scope `partitura:control` allows directives.
 */
export function tokenVerifier({
  gatewayJwks,
  gatewayJwtIssuer: issuer,
  gatewayJwtAudience: audience,
}: Config): VerifyToken | undefined {
  if (gatewayJwks === undefined) return undefined;
  const keys = createRemoteJWKSet(new URL(gatewayJwks));
  const identities = new Map<string, Identity>();
  return async (token) => {
    const options = { ...(issuer !== undefined && { issuer }), ...(audience !== undefined && { audience }) };
    const { payload } = await jwtVerify(token, keys, options).catch((cause: unknown) => {
      throw unauthenticated(`token: ${(cause as Error).message}`);
    });
    return rememberedIdentity(identities, payload);
  };
}

/** Returns the same identity for the same claims. */
function rememberedIdentity(identities: Map<string, Identity>, payload: JWTPayload): Identity {
  const { sub = 'unnamed', scope, models, requests_per_second: quota } = payload;
  const grants = {
    name: sub,
    models: Array.isArray(models) ? models.map(String) : ['*'],
    control: typeof scope === 'string' && scope.split(' ').includes(CONTROL_SCOPE),
    requestsPerSecond: typeof quota === 'number' && quota > 0 ? quota : undefined,
  };
  const key = JSON.stringify(grants);
  const known = identities.get(key);
  if (known) return known;
  if (identities.size >= MAX_IDENTITIES) identities.clear();
  const identity = new Identity(grants);
  identities.set(key, identity);
  return identity;
}
