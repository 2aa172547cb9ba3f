import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedVersions } from './version-policy.js';

test('each policy selects its versions, newest first', () => {
  const versions = ['1', '2', '9', '10'];
  const cases: [string, string[]][] = [
    ['latest', ['10']],
    ['latest:1', ['10']],
    ['latest:3', ['10', '9', '2']],
    ['latest:9', ['10', '9', '2', '1']],
    ['all', ['10', '9', '2', '1']],
    ['specific:9,1', ['9', '1']],
    ['specific:1,3', ['1']],
    ['specific:3', []],
  ];
  for (const [policy, wanted] of cases) assert.deepEqual(wantedVersions(policy, versions), wanted, policy);
  assert.deepEqual(wantedVersions('latest', []), []);
});
