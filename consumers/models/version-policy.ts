/**
 * Which versions of a model should be served, newest first: the newest one or N (`latest`, `latest:N`), every
 * one (`all`), or those named (`specific:1,3`).
 * @param policy as checked by the configuration
 * @param versions that exist, ascending
 */
export function wantedVersions(policy: string, versions: readonly string[]): string[] {
  const newestFirst = [...versions].reverse();
  const [kind, argument] = policy.split(':');
  if (kind === 'all') return newestFirst;
  if (kind === 'specific') return newestFirst.filter((version) => argument?.split(',').includes(version));
  return newestFirst.slice(0, Number(argument ?? 1));
}
