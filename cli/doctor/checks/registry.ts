import { COMPATIBILITY } from '../../../core/register-schemas.js';
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
export function checkRegistry(registry: RegistryFacts | undefined): Finding[] {
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
  return [ok(AREA, `${address} answers (${ms} ms)`), ...subjects.flatMap(checkSubject)];
}

function checkSubject({ model, subject, isRegistered, compatibility }: SubjectFacts): Finding[] {
  if (!isRegistered)
    return [
      warning(
        AREA,
        `${subject} lacks our schema: requests for ${model} in Confluent's wire formats become dead letters`,
        `partitura schemas register ${model}`,
      ),
    ];
  if (compatibility !== COMPATIBILITY)
    return [
      warning(
        AREA,
        `${subject}: its compatibility is ${compatibility ?? "the registry's own"}, expected ${COMPATIBILITY}: a version that nodes can't read may be registered`,
        `partitura schemas register ${model}`,
      ),
    ];
  return [ok(AREA, `${subject}: registered, ${COMPATIBILITY}`)];
}
