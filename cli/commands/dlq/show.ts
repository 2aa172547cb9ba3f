import type { Config } from '../../../core/config/config.js';
import {
  readHandled,
  scanDeadLetters,
  type DeadLetterCluster,
} from '../../../operations/dead-letters/scan.js';
import { readDeadLetter, type DeadLetter } from '../../../operations/dead-letters/dead-letter.js';
import type { Disposition } from '../../../operations/dead-letters/handled.js';
import { PartituraError } from '../../../schemas/errors.js';
import { print, printJson, printError } from '../../output.js';
import { withCluster } from './cluster.js';
import { describeLetter, letterJson } from './describe-dead-letter.js';

export interface ShowFlags {
  readonly raw: boolean;
  readonly json: boolean;
}

export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Prints one dead letter in full. @throws PartituraError INVALID_REQUEST if it does not exist */
export async function runShow(config: Config, place: Place, flags: ShowFlags): Promise<void> {
  await withCluster(config, async (cluster) => {
    const letter = await findLetter(cluster, place);
    if (flags.raw) return writeValue(letter);
    const disposition = (await readHandled(cluster, [place.topic])).dispositionOf(letter.record);
    showLetter(letter, disposition, flags.json);
  });
}

function showLetter(letter: DeadLetter, disposition: Disposition | undefined, json: boolean): void {
  if (json) printJson(letterJson(letter, disposition));
  else for (const line of describeLetter(letter, disposition)) print(line);
}

function writeValue({ record: { value } }: DeadLetter): void {
  if (value === null) printError('the value is null');
  else process.stdout.write(value);
}

async function findLetter(
  cluster: DeadLetterCluster,
  { topic, partition, offset }: Place,
): Promise<DeadLetter> {
  const [chosen = topic] = await cluster.topics.choose(cluster.admin, [topic]);
  const held = (await cluster.admin.offsets(chosen)).find((one) => one.partition === partition);
  const wrong = (expected: string): PartituraError =>
    new PartituraError(
      'INVALID_REQUEST',
      `${topic} partition ${partition}: expected ${expected}, got ${offset}`,
    );
  if (!held)
    throw new PartituraError('INVALID_REQUEST', `${topic}: expected an existing partition, got ${partition}`);
  if (held.start === held.end) throw wrong('an offset, but the partition is empty');
  if (offset < held.start || offset >= held.end)
    throw wrong(`an offset from ${held.start} to ${held.end - 1}`);
  const found = await readOne(cluster, { topic, partition, offset });
  if (!found) throw wrong('the offset of a record');
  return found;
}

async function readOne(
  cluster: DeadLetterCluster,
  { topic, partition, offset }: Place,
): Promise<DeadLetter | undefined> {
  let found: DeadLetter | undefined;
  const ranges = [{ partition, start: offset, end: offset + 1 }];
  await scanDeadLetters(
    cluster,
    { topic, ranges },
    {
      onUnreadable: (_, reason) => {
        throw new PartituraError(
          'DECODE_FAILED',
          `${topic} partition ${partition} offset ${offset}: ${reason}`,
        );
      },
      onOthers: ([record]) => {
        found = record && readDeadLetter(record);
      },
      onLetters: ([letter]) => {
        found = letter ?? found;
      },
    },
  );
  return found;
}
