import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const LOG = new URL('./log.js', import.meta.url).href;

/** Returns the line that a process writes to its log. */
function logged(fields: string): string {
  const script = `import { createLogger } from ${JSON.stringify(LOG)}; createLogger('t', 'info').info(${fields}, 'said');`;
  return execFileSync('sh', ['-c', `"$0" --input-type=module -e "$1" 2>&1`, process.execPath, script], {
    encoding: 'utf8',
  });
}

test('a log line is safe to print and keeps its content', () => {
  const line = logged(String.raw`{ key: 'a\u001b[31m\u009b2J\u202eb' }`);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(line.trimEnd(), /[\u0000-\u001f\u007f-\u009f\u202e]/u);
  assert.equal((JSON.parse(line) as { key: string }).key, 'a\u001b[31m\u009b2J\u202eb');
});

test('a very long text is truncated', () => {
  assert.ok(logged("{ correlation: 'x'.repeat(5_000_000) }").length < 20_000);
});
