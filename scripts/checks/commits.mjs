// Fails on commit subjects of more than 72 characters, which tools cut off.
import { execFileSync } from 'node:child_process';
import { root } from '../setup/paths.mjs';

const MAX_CHARACTERS = 72;
/** Commits after this one are checked. */
const BASELINE = '19aac536085935df23c6a6bbb2d0e1b2cfa2be9e';

const git = (...args) =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const log = isKnown(BASELINE) ? git('log', '--no-merges', '--format=%h %s', `${BASELINE}..HEAD`) : '';
const long = log.split('\n').filter((line) => line.slice(line.indexOf(' ') + 1).length > MAX_CHARACTERS);
for (const line of long) console.error(`commit subject longer than ${MAX_CHARACTERS} characters: ${line}`);
if (long.length > 0) process.exit(1);

function isKnown(commit) {
  try {
    git('cat-file', '-e', commit);
    return true;
  } catch {
    console.error(`commit subjects are not checked: ${commit} is not in this clone`);
    return false;
  }
}
