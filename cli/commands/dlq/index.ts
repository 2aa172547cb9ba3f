import type { Command } from 'commander';
import { timeOption } from '../../time-option.js';
import { CLUSTER, CONNECTION, integer, withOptions, type ConfigOf } from '../../options.js';
import { runDrop, type DropFlags } from './drop.js';
import { runList, type ListFlags } from './list.js';
import { runReplay, type ReplayFlags } from './replay.js';
import { runShow, type ShowFlags } from './show.js';

const MAX_LIMIT = 100_000;
const OFFSET = integer(0, Number.MAX_SAFE_INTEGER);
const TIME = 'an ISO time or an age such as 90s, 15m, 2h or 3d';

/** Adds `dlq` and its subcommands. */
export function addDeadLetterCommands(program: Command, configOf: ConfigOf): void {
  const dlq = program
    .command('dlq')
    .description('list, show, replay or drop dead letters (docs/DEAD-LETTERS.md)');
  addList(dlq, configOf);
  addShow(dlq, configOf);
  addReplay(dlq, configOf);
  addDrop(dlq, configOf);
}

/** Adds the topic argument and the filter options. */
function filtered(command: Command, all: string): Command {
  return command
    .argument('[topics...]', 'dead-letter topics; all of the cluster by default')
    .option('--reason <code>', 'error code, or exception class name, qualified or simple')
    .option('--stage <stage>', 'failed stage: decode, validate, model, reply, or a stage of Kafka Connect')
    .option('--since <time>', `at or after ${TIME}`, timeOption(Date.now))
    .option('--until <time>', `before ${TIME}`, timeOption(Date.now))
    .option('--key <key>', 'record key, as text or as 0x and hexadecimal digits')
    .option('--all', all, false);
}

function addList(dlq: Command, configOf: ConfigOf): void {
  const list = dlq.command('list').description('list dead letters, newest last');
  withOptions(filtered(list, 'include replayed and dropped letters'), CONNECTION)
    .option('--limit <count>', 'number of newest letters to show', integer(1, MAX_LIMIT), 100)
    .option('--summary', 'only print counts by reason', false)
    .option('--json', 'print JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  partitura dlq list --since 2h\n  partitura dlq list orders-dlq --reason SerializationException',
    )
    .action((topics: string[], flags: ListFlags) => runList(configOf({ ...flags }), topics, flags));
}

function addShow(dlq: Command, configOf: ConfigOf): void {
  const show = dlq
    .command('show')
    .argument('<topic>')
    .argument('<partition>', 'as printed by `list`', OFFSET)
    .argument('<offset>', 'as printed by `list`', OFFSET)
    .description('show one dead letter in full');
  withOptions(show, CONNECTION)
    .option('--raw', 'write only the raw bytes of the value', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura dlq show partitura.digits.requests-dlt 3 0')
    .action((topic: string, partition: number, offset: number, flags: ShowFlags) =>
      runShow(configOf({ ...flags }), { topic, partition, offset }, flags),
    );
}

function addReplay(dlq: Command, configOf: ConfigOf): void {
  const replay = dlq.command('replay').description('send dead letters back to their original topics');
  withOptions(filtered(replay, 'include letters already replayed or dropped'), CLUSTER)
    .option('--max-replays <count>', 'skip letters that came back this many times', integer(1), 3)
    .option('--dry-run', 'only print what would be replayed', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura dlq replay --reason DECODE_FAILED --since 1d --dry-run')
    .action((topics: string[], flags: ReplayFlags) => runReplay(configOf({ ...flags }), topics, flags));
}

function addDrop(dlq: Command, configOf: ConfigOf): void {
  const drop = dlq.command('drop').description('drop dead letters permanently');
  withOptions(filtered(drop, 'include replayed letters'), CLUSTER)
    .option('--everything', 'drop all letters instead of those matching filters', false)
    .option('--dry-run', 'only print what would be dropped', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExample:\n  partitura dlq drop partitura.digits.requests-dlt --until 7d')
    .action((topics: string[], flags: DropFlags) => runDrop(configOf({ ...flags }), topics, flags));
}
