import type { Command } from 'commander';
import { timeOption } from '../../time-option.js';
import { CLUSTER, CONNECTION, integer, withOptions, type ConfigOf } from '../../options.js';
import { runDrop, type DropFlags } from './drop.js';
import { runList, type ListFlags } from './list.js';
import { runReplay, type ReplayFlags } from './replay.js';
import { runShow, type ShowFlags } from './show.js';

const MAX_LIMIT = 100_000;
const OFFSET = integer(0, Number.MAX_SAFE_INTEGER);
const TIME = 'an ISO time, or an age like 90s, 15m, 2h or 3d';

/** Adds `dlq` and its commands. */
export function addDeadLetterCommands(program: Command, configOf: ConfigOf): void {
  const dlq = program
    .command('dlq')
    .description(
      'dead letters: what could not be processed, to look at, replay or drop (docs/DEAD-LETTERS.md)',
    );
  addList(dlq, configOf);
  addShow(dlq, configOf);
  addReplay(dlq, configOf);
  addDrop(dlq, configOf);
}

/** A command for the letters of topics that match filters. */
function filtered(command: Command, all: string): Command {
  return command
    .argument('[topics...]', "any topics of dead letters; all of the cluster's own when none is named")
    .option('--reason <code>', "error code, or the name of an exception's class, whole or its last part")
    .option(
      '--stage <stage>',
      'where it failed: decode, validate, model, reply, or as Kafka Connect calls it',
    )
    .option('--since <time>', `not older than ${TIME}`, timeOption(Date.now))
    .option('--until <time>', `older than ${TIME}`, timeOption(Date.now))
    .option('--key <key>', 'key of the record, as text or as 0x and hexadecimal digits')
    .option('--all', all, false);
}

function addList(dlq: Command, configOf: ConfigOf): void {
  const list = dlq.command('list').description('list dead letters, the newest at the end');
  withOptions(filtered(list, 'also those that were replayed or dropped'), CONNECTION)
    .option('--limit <count>', 'show only the newest', integer(1, MAX_LIMIT), 100)
    .option('--summary', 'only count them, by reason', false)
    .option('--json', 'answer in JSON', false)
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
    .argument('<partition>', 'as `list` tells it', OFFSET)
    .argument('<offset>', 'as `list` tells it', OFFSET)
    .description('show everything of one dead letter');
  withOptions(show, CONNECTION)
    .option('--raw', 'write the bytes of its value and nothing else', false)
    .option('--json', 'answer in JSON', false)
    .addHelpText('after', '\nExample:\n  partitura dlq show partitura.digits.requests-dlt 3 0')
    .action((topic: string, partition: number, offset: number, flags: ShowFlags) =>
      runShow(configOf({ ...flags }), { topic, partition, offset }, flags),
    );
}

function addReplay(dlq: Command, configOf: ConfigOf): void {
  const replay = dlq.command('replay').description('send dead letters to the topics that they came from');
  withOptions(filtered(replay, 'again those that were replayed or dropped before'), CLUSTER)
    .option('--max-replays <count>', 'leave letters that came back so often', integer(1), 3)
    .option('--dry-run', 'only say what would be replayed', false)
    .option('--json', 'answer in JSON', false)
    .addHelpText('after', '\nExample:\n  partitura dlq replay --reason DECODE_FAILED --since 1d --dry-run')
    .action((topics: string[], flags: ReplayFlags) => runReplay(configOf({ ...flags }), topics, flags));
}

function addDrop(dlq: Command, configOf: ConfigOf): void {
  const drop = dlq.command('drop').description('drop dead letters for good');
  withOptions(filtered(drop, 'also those that were replayed'), CLUSTER)
    .option('--everything', 'drop all, instead of those that match filters', false)
    .option('--dry-run', 'only say what would be dropped', false)
    .option('--json', 'answer in JSON', false)
    .addHelpText('after', '\nExample:\n  partitura dlq drop partitura.digits.requests-dlt --until 7d')
    .action((topics: string[], flags: DropFlags) => runDrop(configOf({ ...flags }), topics, flags));
}
