import { PartituraError, invalidRequest } from '../../schemas/errors.js';
import { readDeadLetter, type DeadLetter } from './dead-letter.js';
import { scanDeadLetters, type DeadLetterCluster } from './scan.js';

/** Position of a record. */
export interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Reads one dead letter. @throws PartituraError INVALID_REQUEST if it does not exist */
export async function findLetter(cluster: DeadLetterCluster, place: Place): Promise<DeadLetter> {
  await checkPlace(cluster, place);
  const found = await readOne(cluster, place);
  if (!found) throw wrongOffset(place, 'the offset of a record');
  return found;
}

/**
 * Checks that a topic has the offset: a reader that starts behind the end waits for a record that may never come.
 * @throws PartituraError INVALID_REQUEST that names what it has
 */
export async function checkPlace(cluster: DeadLetterCluster, place: Place): Promise<void> {
  const { topic, partition, offset } = place;
  const [chosen = topic] = await cluster.topics.choose(cluster.admin, [topic]);
  const held = (await cluster.admin.offsets(chosen)).find((one) => one.partition === partition);
  if (!held) throw invalidRequest(`${topic}: expected an existing partition, got ${partition}`);
  if (held.start === held.end) throw wrongOffset(place, 'an offset, but the partition is empty');
  if (offset < held.start || offset >= held.end)
    throw wrongOffset(place, `an offset from ${held.start} to ${held.end - 1}`);
}

function wrongOffset({ topic, partition, offset }: Place, expected: string): PartituraError {
  return invalidRequest(`${topic} partition ${partition}: expected ${expected}, got ${offset}`);
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
