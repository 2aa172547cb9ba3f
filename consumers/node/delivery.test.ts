import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../kafka/port.js';
import { chooseDelivery, followGroup } from './delivery.js';

const brokers = (problem?: string): { shareGroupProblem: () => Promise<string | undefined> } => ({
  shareGroupProblem: () => Promise.resolve(problem),
});
const otherType = new KafkaError('other-group-type', 'GROUP_ID_NOT_FOUND: Group g is not a share group.');

test('without share groups, requests are delivered in order, with the reason', async () => {
  assert.deepEqual(await chooseDelivery('queue', brokers()), { delivery: 'queue', note: undefined });
  assert.deepEqual(await chooseDelivery('ordered', brokers('too old')), {
    delivery: 'ordered',
    note: undefined,
  });
  assert.deepEqual(await chooseDelivery('queue', brokers('too old')), {
    delivery: 'ordered',
    note: 'not delivered as a queue: too old',
  });
});

test('the type of an existing group decides, once', () => {
  const ordered = followGroup({ delivery: 'queue', note: undefined }, 'g', otherType);
  assert.equal(ordered?.delivery, 'ordered');
  assert.match(ordered.note ?? '', /g is a consumer group/);
  assert.equal(followGroup(ordered, 'g', otherType), undefined);
  assert.equal(followGroup({ delivery: 'ordered', note: undefined }, 'g', otherType)?.delivery, 'queue');
  const away = new KafkaError('unavailable', 'away');
  assert.equal(followGroup({ delivery: 'queue', note: undefined }, 'g', away), undefined);
});
