import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedHeaders, fromList, headersInOrder, listOf, type HeaderList } from './header-list.js';

const bytes = (text: string): Buffer => Buffer.from(text);
const LIST: HeaderList = [
  ['a', bytes('1')],
  ['b', null],
  ['a', bytes('2')],
  ['9', bytes('3')],
];

test('headers by name are built from the ordered list and, if unambiguous, converted back', () => {
  const { headers, headerList } = fromList(LIST);
  assert.deepEqual(headers, { a: [bytes('1'), bytes('2')], b: Buffer.alloc(0), 9: bytes('3') });
  assert.equal(headersInOrder({ headers, headerList }), LIST);
  assert.deepEqual(
    headersInOrder({ headers: { a: [bytes('1'), bytes('2')], b: undefined, c: bytes('3') } }),
    [
      ['a', bytes('1')],
      ['a', bytes('2')],
      ['c', bytes('3')],
    ],
  );
  const odd: HeaderList = [
    ['__proto__', bytes('1')],
    ['toString', bytes('2')],
    ['__proto__', bytes('3')],
  ];
  assert.deepEqual(listOf(fromList(odd).headers), [odd[0], odd[2], odd[1]]);
});

test('headers changed by name come last, and all others keep their place', () => {
  const from = fromList(LIST);
  const changed = { ...from.headers, c: bytes('new'), b: bytes('other'), 9: undefined };
  assert.deepEqual(changedHeaders(from, changed).headerList, [
    LIST[0],
    LIST[2],
    ['b', bytes('other')],
    ['c', bytes('new')],
  ]);
  const plain = { headers: { a: bytes('1') } };
  assert.deepEqual(changedHeaders(plain, { a: bytes('2') }), { headers: { a: bytes('2') } });
});
