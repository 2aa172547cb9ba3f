import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareGroupProblem } from './share-group-support.js';

const problemOf = (requests: [key: number, version: number][], shareVersion?: number): string | undefined =>
  shareGroupProblem({
    release: undefined,
    requests: new Map(requests),
    features: new Map(shareVersion === undefined ? [] : [['share.version', shareVersion]]),
  });

test('share groups need the requests of Kafka 4.2 and the feature', () => {
  assert.equal(problemOf([[76, 1], [78, 2], [79, 2]], 1), undefined); // prettier-ignore
  assert.match(problemOf([[76, 1], [78, 1], [79, 1]], 1) ?? '', /expected Kafka 4\.2/); // prettier-ignore
  assert.match(problemOf([], 1) ?? '', /expected Kafka 4\.2/);
  assert.match(problemOf([[76, 1], [78, 2], [79, 2]], 0) ?? '', /turned off/); // prettier-ignore
  assert.match(problemOf([[76, 1], [78, 2], [79, 2]]) ?? '', /turned off/); // prettier-ignore
});
