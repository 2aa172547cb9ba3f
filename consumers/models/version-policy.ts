/**
 * Selects the versions to serve, newest first: the newest one or N (`latest`, `latest:N`), all of them (`all`), or specific
 * ones (`specific:1,3`).
 * @param policy a valid policy, checked by the configuration
 * @param versions existing versions, ascending
 */
export function wantedVersions(policy: string, versions: readonly string[]): string[] {
  const newestFirst = [...versions].reverse();
  const [kind, argument] = policy.split(':');
  if (kind === 'all') return newestFirst;
  if (kind === 'specific') return newestFirst.filter((version) => argument?.split(',').includes(version));
  return newestFirst.slice(0, Number(argument ?? 1));
}
