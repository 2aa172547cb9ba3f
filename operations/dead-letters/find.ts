import { PartituraError } from '../../schemas/errors.js';
import { readDeadLetter, type DeadLetter } from './dead-letter.js';
import { scanDeadLetters, type DeadLetterCluster } from './scan.js';

/** Position of a record. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Reads one dead letter. @throws PartituraError INVALID_REQUEST if it does not exist */
export async function findLetter(
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
