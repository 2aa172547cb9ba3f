import type { Config } from '../../../core/config/config.js';
import { findLetter, type Place } from '../../../operations/dead-letters/find.js';
import { readHandled } from '../../../operations/dead-letters/scan.js';
import type { DeadLetter } from '../../../operations/dead-letters/dead-letter.js';
import type { Disposition } from '../../../operations/dead-letters/handled.js';
import { print, printJson, printError } from '../../output.js';
import { withCluster } from './cluster.js';
import { describeLetter, letterJson } from './describe-dead-letter.js';

export interface ShowFlags {
  readonly raw: boolean;
  readonly json: boolean;
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
