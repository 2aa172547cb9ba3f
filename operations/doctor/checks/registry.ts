import { OPTIONS } from '../../../core/config/config.js';
import { COMPATIBILITY } from '../../../cluster/register-schemas.js';
import { ok, problem, unknown, warning, type Finding } from '../finding.js';

const AREA = 'registry';

/** Facts of a schema registry about one subject. */
export interface SubjectFacts {
  readonly model: string;
  readonly subject: string;
  /** True if our schema is among its versions. */
  readonly isRegistered: boolean;
  /** Undefined if the subject has no level of its own. */
  readonly compatibility: string | undefined;
}

export interface RegistryFacts {
  readonly address: string;
  readonly ms: number;
  readonly error: Error | undefined;
  readonly subjects: readonly SubjectFacts[];
}

/** @param registry undefined if none is configured */
export function checkRegistry(registry: RegistryFacts | undefined, prefix: string): Finding[] {
  if (!registry)
    return [
      unknown(
        AREA,
        "no schema registry is configured: requests in Confluent's wire formats become dead letters",
        'set SCHEMA_REGISTRY_URL if senders use these formats',
      ),
    ];
  const { address, ms, error, subjects } = registry;
  if (error)
    return [
      problem(
        AREA,
        error.message,
        'correct SCHEMA_REGISTRY_URL (including the base path of the API) or start the registry',
      ),
    ];
  const found = subjects.flatMap((subject) =>
    checkSubject(subject, register(subject.model, prefix, address)),
  );
  return [ok(AREA, `${address} answers (${ms} ms)`), ...found];
}

/** Returns a command that works without the environment of this process. */
function register(model: string, prefix: string, address: string): string {
  const ofPrefix = prefix === OPTIONS.prefix.fallback ? '' : ` --prefix ${prefix}`;
  return `partitura schemas register ${model}${ofPrefix} --schema-registry-url ${address}`;
}

function checkSubject({ model, subject, isRegistered, compatibility }: SubjectFacts, fix: string): Finding[] {
  if (!isRegistered)
    return [
      warning(
        AREA,
        `${subject} lacks our schema: requests for ${model} in Confluent's wire formats become dead letters`,
        fix,
      ),
    ];
  if (compatibility !== COMPATIBILITY)
    return [
      warning(
        AREA,
        `${subject}: compatibility is ${compatibility ?? "the registry's default"}, expected ${COMPATIBILITY}: versions that nodes cannot read may be registered`,
        fix,
      ),
    ];
  return [ok(AREA, `${subject}: registered, ${COMPATIBILITY}`)];
}
