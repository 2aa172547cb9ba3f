import { AREAS } from './areas/index.js';
import { Facts, type DoctorContext } from './facts.js';
import type { Finding } from './finding.js';

/** Examines all areas, one after the other; a failed query is a finding itself. */
export async function runChecks(context: DoctorContext): Promise<Finding[]> {
  const facts = new Facts(context);
  const isReachable = await facts.isReachable();
  const reports = [];
  for (const area of AREAS)
    if (isReachable || !area.needsCluster)
      reports.push({ area: area.name, findings: await area.examine(facts) });
  const { config } = context;
  const hasLogin = config.ssl || config.saslMechanism !== undefined;
  const reached = (await facts.bootstrap()).find(({ error }) => !error);
  return reports
    .flatMap(({ area, findings }) => [...facts.failuresOf(area), ...findings])
    .map((finding) => copyPasteable(finding, reached?.address ?? '', hasLogin));
}

/** Makes suggested commands copy-pasteable. */
function copyPasteable(finding: Finding, address: string, hasLogin: boolean): Finding {
  const login = hasLogin ? ' --command-config <your client.properties>' : '';
  const command = /\b(kafka-[a-z-]+\.sh) --/;
  return {
    ...finding,
    fix: finding.fix?.replace(command, `$1 --bootstrap-server ${address}${login} --`) ?? null,
  };
}
