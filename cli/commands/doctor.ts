import type { Command } from 'commander';
import type { Config } from '../../core/config/config.js';
import { createInspector } from '../../kafka/client.js';
import { oneLine } from '../../core/printable.js';
import { runChecks } from '../../operations/doctor/run-checks.js';
import type { Finding, Level } from '../../operations/doctor/finding.js';
import { kafkaFor } from '../kafka.js';
import { CONNECTION, integer, withOptions, type ConfigOf } from '../options.js';
import { print, printJson } from '../output.js';

interface DoctorFlags {
  readonly deadline: number;
  readonly json: boolean;
}

const CLIENT_ID = 'partitura-doctor';

/** Adds `doctor`. */
export function addDoctorCommand(program: Command, configOf: ConfigOf): void {
  const command = program
    .command('doctor')
    .description(
      'check brokers, versions, topics, groups, nodes, registry, rights and clocks, and print problems with their fixes',
    );
  withOptions(command, [
    ...CONNECTION,
    'maxRecordBytes',
    'sessionTimeoutMs',
    'kafkaGroupProtocol',
    'schemaRegistryUrl',
    'schemaRegistryUserInfo',
  ])
    .option('--deadline <ms>', 'the longest deadline that senders set', integer(1), 30_000)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura doctor --brokers kafka:9092')
    .action((flags: DoctorFlags) => runDoctor(configOf({ ...flags }), flags));
}

/** Prints the findings; the exit code is 1 if one is a problem. */
async function runDoctor(config: Config, { deadline, json }: DoctorFlags): Promise<void> {
  const kafka = kafkaFor(config);
  const admin = kafka.admin();
  const inspector = createInspector(config, CLIENT_ID);
  try {
    const findings = await runChecks({ kafka, admin, inspector, config, deadlineMs: deadline });
    if (json) printJson(findings);
    else printFindings(findings);
    if (findings.some(({ level }) => level === 'problem')) throw new Error('doctor: problems found');
  } finally {
    inspector.close();
    await admin.close();
  }
}

const LEVELS: readonly Level[] = ['problem', 'warning', 'unknown', 'ok'];

function printFindings(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ area }) => area.length));
  for (const { level, area, message, fix } of findings) {
    // Findings contain node names and messages, which any client may have written.
    print(`${level.padEnd(8)} ${area.padEnd(width)}  ${oneLine(message)}`);
    if (fix !== null) print(`${' '.repeat(9 + width)}  fix: ${oneLine(fix)}`);
  }
  const countOf = (wanted: Level): number => findings.filter(({ level }) => level === wanted).length;
  print(LEVELS.map((level) => summary(level, countOf(level))).join(', '));
}

/** Formats a count: `1 problem`, `2 warnings`, `3 ok`. */
function summary(level: Level, count: number): string {
  const isNoun = level === 'problem' || level === 'warning';
  return `${count} ${level}${isNoun && count !== 1 ? 's' : ''}`;
}
