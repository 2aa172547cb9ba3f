import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonToXml } from './json-to-xml.js';
import { xmlToJson } from './xml-to-json.js';

const inXml = (content: string): string => `<object xmlns="urn:partitura:xml:1">${content}</object>`;

const jsonOf = async (xml: string): Promise<string> => String(await xmlToJson(Buffer.from(xml)));

test('any JSON value survives the way to XML and back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      assert.deepEqual(JSON.parse(await jsonOf(jsonToXml(value))), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 2_000 },
  );
});

test('a list of numbers is nested by its shape', async () => {
  const json = await jsonOf(inXml('<numbers name="data" shape="2 2">1 2.5 NaN -INF</numbers>'));
  assert.equal(json, '{"data":[[1,2.5],[NaN,-Infinity]]}');
});

test('what is not of the schema is refused with its line', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /expected an element|document must contain a root element/],
    ['<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', /expected no DOCTYPE/],
    ['<object/>', /expected elements of namespace urn:partitura:xml:1, got <object> of ''/],
    [inXml('<number>1</number>'), /<number> in an object: expected a name/],
    [inXml('<number name="a">one</number>'), /line 1: expected a number, got 'one'/],
    [inXml('<numbers name="a" shape="3">1 2</numbers>'), /expected 3 for shape '3', got 2/],
    [inXml('<numbers name="a" shape="1000000000 0"/>'), /expected sizes up to 1 beside 0/],
    [inXml('<numbers name="a" shape="2">1 2 3</numbers>'), /expected 2 for shape '2', got 3/],
    [inXml('\n<numbers name="a" shape="2">1 x</numbers>\n'), /line 2: expected a number, got 'x'/],
    [inXml('<thing name="a"/>'), /expected object, array, .*, got <thing>/],
    [inXml('text'), /<object>: expected elements only, got text/],
    [inXml('&bomb;'), /undefined entity/],
    ['<array xmlns="urn:partitura:xml:1">'.repeat(65), /expected at most 64 nested elements/],
  ];
  for (const [xml, message] of cases) await assert.rejects(jsonOf(xml), message, xml);
});

test('long documents are converted in slices that let others run', async () => {
  const numbers = Array.from({ length: 200_000 }, (_, index) => index);
  const values = numbers.map((number) => ({ text: `${number}`, list: [number] }));
  for (const value of [{ numbers }, { rows: numbers.map((number) => [number, 1]) }, values]) {
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    const json = await jsonOf(jsonToXml(value));
    clearInterval(count);
    assert.deepEqual(JSON.parse(json), value);
    assert.ok(turns > 5, `${turns} turns`);
  }
});
