import { expect, test } from 'vitest';
import { compileFormat } from '../src/records/record-format.ts';

const record = {
  topic: 't',
  partition: 2,
  offset: 7,
  timestamp: 1000,
  keyBytes: null,
  valueBytes: Buffer.from([0xc3, 0xa9]),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
  ],
};

test.each([
  ['%t-%p@%o', 't-2@7'],
  ['%T\\t%s\\n', '1000\té\n'],
  ['%K/%S', '-1/2'],
  ['[%k]', '[]'],
  ['%v{hex} %s{base64}', 'c3a9 w6k='],
  ['%h', 'a=1,b=NULL'],
  ['100%% \\\\', '100% \\'],
  ['', ''],
])('the format %j shows a record as %j', (format, expected) => {
  expect(compileFormat(format)(record)).toBe(expected);
});

test.each([
  ['%q', 'Format "%q" is unknown'],
  ['%s{octal}', 'Encoding "{octal}" is unknown'],
])('the format %j is refused', (format, message) => {
  expect(() => compileFormat(format)).toThrow(message);
});
