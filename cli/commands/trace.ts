import type { Command } from 'commander';
import type { Config } from '../../core/config/config.js';
import { type PartituraError, invalidRequest } from '../../schemas/errors.js';
import { kafkaFor, withAdmin } from '../kafka.js';
import { timeOption, formatTime } from '../time-option.js';
import { CONNECTION, withOptions, type ConfigOf } from '../options.js';
import { print, printJson, printError, table } from '../output.js';
import { search, type TraceResult } from '../../operations/trace/search.js';
import { stateOf } from '../../operations/trace/open-request.js';
import { open, timeline, type Step } from '../../operations/trace/timeline.js';

interface TraceFlags {
  readonly since: number;
  readonly replyTopic: readonly string[];
  readonly json: boolean;
}

const HOUR_MS = 60 * 60_000;

/** Adds `trace`. */
export function addTraceCommand(program: Command, configOf: ConfigOf): void {
  const command = program
    .command('trace')
    .argument('<id>', 'correlation id (text or hexadecimal digits), request id or trace id')
    .description('find a request with its node, reply or dead letter, and print its timeline');
  withOptions(command, CONNECTION)
    .option(
      '--since <time>',
      'search records since an ISO time or an age such as 90s, 15m, 2h or 3d (default 1h)',
      timeOption(Date.now),
    )
    .option(
      '--reply-topic <topic>',
      'also search this topic for replies; repeatable',
      (topic: string, all: string[]) => [...all, topic],
      [],
    )
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura trace 4711 --since 2h')
    .action((id: string, { since = Date.now() - HOUR_MS, ...flags }: Partial<TraceFlags>) =>
      runTrace(configOf({ ...flags }), id, { ...flags, since } as TraceFlags),
    );
}

/** Prints the timeline of a request. @throws PartituraError if it is not found */
async function runTrace(config: Config, id: string, flags: TraceFlags): Promise<void> {
  const { since, replyTopic, json } = flags;
  const kafka = kafkaFor(config);
  const { steps, states, isCut } = await withAdmin(kafka, async (admin) => {
    const findings = await search({ kafka, admin, config }, id, { since, replyTopics: replyTopic });
    if (findings.matches.length === 0) throw notFound(id, findings, since);
    const states = await Promise.all(
      open(findings.matches).map((found) => stateOf({ kafka, admin, config }, found)),
    );
    return { steps: timeline(findings.matches), states, isCut: findings.isCut };
  });
  if (json) return printJson({ id, steps, open: states, cut: isCut });
  printSteps(steps, states);
  if (isCut) printError('… and more; narrow the search with a later --since');
}

function notFound(id: string, { topics }: TraceResult, since: number): PartituraError {
  return invalidRequest(
    `trace: expected a record with the id '${id}', got none since ${formatTime(since)} on ${topics.length} topics (${topics.slice(0, 6).join(', ')}${topics.length > 6 ? ', …' : ''}); use an earlier --since to search further back`,
  );
}

function printSteps(steps: readonly Step[], states: readonly string[]): void {
  const begin = steps[0]?.at ?? 0;
  const rows = steps.map(({ at, what, where, details }) => [
    formatTime(Math.round(at)),
    `+${(at - begin).toFixed(0)} ms`,
    what,
    where,
    details,
  ]);
  print(table(['TIME', 'AFTER', 'WHAT', 'WHERE', 'DETAILS'], rows));
  for (const state of states) print(state);
}
