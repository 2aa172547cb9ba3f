import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isModelName } from '../schemas/model-name.js';
import { replyTopicPolicy, topicNames } from './topics.js';

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,100}$/);

test('topic and group names follow the contract', () => {
  const names = topicNames('partitura');
  assert.equal(names.requests('digits'), 'partitura.digits.requests');
  assert.equal(names.replies('digits'), 'partitura.digits.replies');
  assert.equal(names.deadLetters('digits'), 'partitura.digits.requests-dlt');
  assert.equal(names.group('digits'), 'partitura.digits');
  assert.equal(names.nodes, 'partitura.nodes');
});

test('the model is parsed from its request topic, and from no other topic of the model', () => {
  fc.assert(
    fc.property(name, name, (prefix, model) => {
      const names = topicNames(prefix);
      assert.equal(names.modelOf(names.requests(model)), model);
      assert.equal(names.modelOfDeadLetters(names.deadLetters(model)), model);
      assert.equal(names.modelOfDeadLetters(names.requests(model)), undefined);
      for (const other of [
        names.replies(model),
        names.deadLetters(model),
        names.group(model),
        names.nodes,
        names.clientReplies,
        names.handledLetters,
        names.cancellations,
      ]) {
        assert.equal(names.modelOf(other), undefined);
      }
    }),
  );
});

test('a topic that is not a request topic has no model', () => {
  const names = topicNames('p');
  for (const topic of [
    '',
    'p',
    'p.requests',
    'p..requests',
    'p.a.b.requests',
    'q.a.requests',
    'p.a.requests.x',
    'xp.a.requests',
  ]) {
    assert.equal(names.modelOf(topic), undefined, topic);
  }
});

test('a name that cannot be part of a topic is not a model name', () => {
  for (const wrong of ['', 'a.b', 'a/b', 'ä', '..', 'a b', 'a'.repeat(101)]) {
    assert.equal(isModelName(wrong), false, wrong);
    assert.throws(() => topicNames('p').requests(wrong), { code: 'INVALID_REQUEST' });
  }
});

test('without patterns a reply topic ends in replies or has a segment of that name', () => {
  const isAllowed = replyTopicPolicy([]);
  const allowed = [
    'replies',
    'my.replies',
    'my-replies',
    'my_replies.eu',
    'replies.mine',
    'a.replies-b',
    'myreplies',
    'partitura.client-replies',
  ];
  const refused = [
    'orders',
    'repliesx',
    'my.repliesx.b',
    'Replies',
    'reply',
    'myreplies.eu',
    '',
    'my.replies ',
    'ä.replies',
    `${'a'.repeat(250)}.replies`,
  ];
  for (const topic of allowed) assert.equal(isAllowed(topic), true, topic);
  for (const topic of refused) assert.equal(isAllowed(topic), false, topic);
});

test('patterns replace the default, with * as their only wildcard', () => {
  const isAllowed = replyTopicPolicy(['answers.*', 'a+b', 'exact']);
  for (const topic of ['answers.', 'answers.of.all', 'exact']) assert.equal(isAllowed(topic), true, topic);
  for (const topic of ['my.replies', 'answersX', 'exactly', 'inexact', 'aab', 'my.answers.x'])
    assert.equal(isAllowed(topic), false, topic);
});

test('no pattern allows request topics, dead letters or internal topics of Kafka', () => {
  const forbidden = [
    'partitura.digits.requests',
    'requests',
    'my-requests',
    'my_requests',
    'replies.requests',
    'partitura.digits.requests-dlt',
    'replies-dlt',
    '__consumer_offsets',
    '__replies',
  ];
  for (const patterns of [[], ['*'], forbidden]) {
    const isAllowed = replyTopicPolicy(patterns);
    for (const topic of forbidden) assert.equal(isAllowed(topic), false, `${topic} by ${patterns.join()}`);
  }
});

test("no pattern allows the cluster's own topics", () => {
  const isAllowed = replyTopicPolicy(['*'], ['partitura.nodes']);
  assert.equal(isAllowed('partitura.nodes'), false);
  assert.equal(isAllowed('other.nodes'), true);
});
