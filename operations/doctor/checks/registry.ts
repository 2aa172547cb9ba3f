import { OPTIONS } from '../../../core/config/config.js';
import { COMPATIBILITY } from '../../../cluster/register-schemas.js';
import { ok, problem, unknown, warning, type Finding } from '../finding.js';

const AREA = 'registry';

/** What a schema registry says of one subject. */
export interface SubjectFacts {
  readonly model: string;
  readonly subject: string;
  /** Whether our schema is among its versions. */
  readonly isRegistered: boolean;
  /** Undefined when it has none of its own. */
  readonly compatibility: string | undefined;
}

export interface RegistryFacts {
  readonly address: string;
  readonly ms: number;
  readonly error: Error | undefined;
  readonly subjects: readonly SubjectFacts[];
}

/** @param registry undefined where none is configured */
export function checkRegistry(registry: RegistryFacts | undefined, prefix: string): Finding[] {
  if (!registry)
    return [
      unknown(
        AREA,
        "no schema registry is named: requests in Confluent's wire formats become dead letters",
        'set SCHEMA_REGISTRY_URL, if anybody sends such',
      ),
    ];
  const { address, ms, error, subjects } = registry;
  if (error)
    return [
      problem(
        AREA,
        error.message,
        'correct SCHEMA_REGISTRY_URL (with the path at which the API begins), or start it',
      ),
    ];
  const found = subjects.flatMap((subject) =>
    checkSubject(subject, register(subject.model, prefix, address)),
  );
  return [ok(AREA, `${address} answers (${ms} ms)`), ...found];
}

/** To be typed where the environment of this process is not. */
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
        `${subject}: its compatibility is ${compatibility ?? "the registry's own"}, expected ${COMPATIBILITY}: a version that nodes can't read may be registered`,
        fix,
      ),
    ];
  return [ok(AREA, `${subject}: registered, ${COMPATIBILITY}`)];
}
