import { flag, option, optionalUrls, optionalText, secret } from './option.js';

/** Options for the schema registry. */
export const REGISTRY = {
  schemaRegistryUrl: secret(
    'SCHEMA_REGISTRY_URL',
    optionalUrls,
    'Base URL of a Confluent-compatible schema registry, for requests in the Confluent wire format; may contain user:password@. With several, comma-separated, the next is tried if one is unreachable',
  ),
  schemaRegistryUserInfo: secret(
    'SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO',
    optionalText,
    'Credentials for the schema registry as user:password, if they are not part of its URL',
  ),
  schemaRegistryAutoRegister: option(
    'SCHEMA_REGISTRY_AUTO_REGISTER',
    flag,
    false,
    'Nodes register the schemas of the models they serve; otherwise use `partitura schemas register`',
  ),
};
