import { describe, expect, test } from 'vitest';
import { parseOverride, parseProperties } from '../../src/config/properties-file.ts';

describe("properties are read as Java's Properties.load reads them", () => {
  test.each<[why: string, text: string, expected: Record<string, string>]>([
    ['equals sign', 'a=b', { a: 'b' }],
    ['colon', 'a:b', { a: 'b' }],
    ['white space', 'a b', { a: 'b' }],
    ['white space around the sign', '  a  =  b  ', { a: 'b  ' }],
    ['only the first sign separates', 'a = =b', { a: '=b' }],
    ['a key alone', 'a', { a: '' }],
    ['an empty value', 'a=', { a: '' }],
    ['an empty key', '=b', { '': 'b' }],
    ['comments', '# a=b\n  ! c=d\ne=f # g', { e: 'f # g' }],
    ['blank lines', '\n \n\t\na=b\n\n', { a: 'b' }],
    ['line ends of every system', 'a=1\r\nb=2\rc=3\n', { a: '1', b: '2', c: '3' }],
    ['a continued line', 'a=b,\\\n   c,\\\r\n\td', { a: 'b,c,d' }],
    ['an escaped backslash at the end does not continue', 'a=b\\\\\nc=d', { a: 'b\\', c: 'd' }],
    ['three backslashes do', 'a=b\\\\\\\nc=d', { a: 'b\\c=d' }],
    ['a comment is never continued', '# a\\\nb=c', { b: 'c' }],
    ['a continuation may look like a comment', 'a=b\\\n#c', { a: 'b#c' }],
    ['a continuation at the end of the file', 'a=b\\', { a: 'b' }],
    ['escaped separators in a key', 'a\\=b\\:c\\ d=e', { 'a=b:c d': 'e' }],
    ['escapes', 'a=\\t\\n\\r\\f\\z\\"', { a: '\t\n\r\fz"' }],
    ['unicode escapes', 'a=\\u00e4\\u20AC', { a: 'ä€' }],
    ['Windows paths lose their backslashes', 'log.dirs=C:\\kafka\\logs', { 'log.dirs': 'C:kafkalogs' }],
    ['the last of two wins', 'a=1\na=2', { a: '2' }],
    ['a name of Object.prototype', '__proto__=1\nconstructor=2', { ['__proto__']: '1', constructor: '2' }],
  ])('%s', (_, text, expected) => {
    expect([...parseProperties(text)]).toEqual(Object.entries(expected));
  });

  test('a malformed unicode escape names its line', () => {
    expect(() => parseProperties('a=b\nc=\\u12x4')).toThrow(
      'Malformed \\u escape in line 2: expected four hex digits',
    );
  });
});

describe('an override', () => {
  test.each([
    ['listeners=PLAINTEXT://:9092', ['listeners', 'PLAINTEXT://:9092']],
    [' a =b=c\\n', ['a', 'b=c\\n']],
    ['a=', ['a', '']],
  ])('%s', (text, expected) => {
    expect(parseOverride(text)).toEqual(expected);
  });

  test.each(['a', '=b', ''])('"%s" is refused', (text) => {
    expect(() => parseOverride(text)).toThrow(`Invalid override "${text}": expected the form key=value`);
  });
});
