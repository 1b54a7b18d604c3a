import { expect, test } from 'vitest';
import { parseOffsets } from '../src/commands/reset-options.ts';

test('files of offsets are read with and without the group, quoted or not', () => {
  expect(parseOffsets('a.b,0,12\r\n"c",1,0\n\n', 'g')).toEqual([
    { topic: 'a.b', partition: 0, offset: 12 },
    { topic: 'c', partition: 1, offset: 0 },
  ]);
  expect(parseOffsets('g,a,0,1\nother,a,0,2\n"g",a,1,3\n', 'g')).toEqual([
    { topic: 'a', partition: 0, offset: 1 },
    { topic: 'a', partition: 1, offset: 3 },
  ]);
});

test.each([
  ['a,0', 'Line 1 is not topic,partition,offset: "a,0"'],
  ['a,0,1\na,0,-1', 'Line 2 is not topic,partition,offset: "a,0,-1"'],
  ['a,0,1\na,0,2', 'Line 2 names a-0 for the second time'],
  ['a,0,99999999999999999999', 'Line 1 has an offset that is too large: "99999999999999999999"'],
  ['other,a,0,1', 'The file has no offsets for group "g"'],
  ['', 'The file has no offsets for group "g"'],
])('%j is refused with its line', (text, message) => {
  expect(() => parseOffsets(text, 'g')).toThrow(message);
});
