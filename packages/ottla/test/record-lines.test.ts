import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recordOfLine, type LineOptions } from '../src/records/lines-to-records.ts';
import { parseRange } from '../src/records/read-plan.ts';
import { recordFilter } from '../src/records/record-filter.ts';
import { recordFromJson, recordToJson } from '../src/records/record-json.ts';
import { splitChunks } from '../src/records/record-lines.ts';

async function split(chunks: readonly (Buffer | string)[], delimiter = '\n'): Promise<string[]> {
  const lines: string[] = [];
  async function* source(): AsyncGenerator<Buffer | string> {
    yield* chunks;
  }
  for await (const line of splitChunks(source(), delimiter)) lines.push(line.toString());
  return lines;
}

describe('lines', () => {
  test.each([
    [['a\nb\n'], '\n', ['a', 'b']],
    [['a\n\nb'], '\n', ['a', '', 'b']],
    [['a\r\nb\r\n'], '\n', ['a', 'b']],
    [['a', 'b\nc', '\n'], '\n', ['ab', 'c']],
    [['one|', '|two||three'], '||', ['one', 'two', 'three']],
    [['a|||b'], '||', ['a', '|b']],
    [[''], '\n', []],
  ])('%j split at %j', async (chunks, delimiter, lines) => {
    expect(await split(chunks, delimiter)).toEqual(lines);
  });

  test('are the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[^;\n\r]{0,5}$/), { maxLength: 6 }),
        fc.array(fc.nat(40), { maxLength: 5 }),
        async (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line};;`).join(''));
          const places = [
            0,
            ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          const chunks = places.slice(1).map((end, at) => bytes.subarray(places[at], end));
          expect(await split(chunks, ';;')).toEqual(lines);
        },
      ),
    );
  });
});

describe('records of lines', () => {
  const plain: LineOptions = { headers: [], nullOnEmpty: false, isJson: false, repartition: false };
  const record = (line: string, options: Partial<LineOptions> = {}) => {
    const { key, value, ...rest } = recordOfLine(Buffer.from(line), { ...plain, ...options });
    return { key: key?.toString() ?? null, value: value?.toString() ?? null, ...rest };
  };

  test.each([
    ['a:b', {}, { key: null, value: 'a:b' }],
    ['a:b:c', { keyDelimiter: ':' }, { key: 'a', value: 'b:c' }],
    ['a:', { keyDelimiter: ':', nullOnEmpty: true }, { key: 'a', value: null }],
    [':b', { keyDelimiter: ':', nullOnEmpty: true }, { key: null, value: 'b' }],
    ['', { key: 'k' }, { key: 'k', value: '' }],
    ['x', { partition: 3, timestampMs: 7 }, { value: 'x', partition: 3, timestamp: 7 }],
    ['{"key":"k","value":"v"}', { isJson: true }, { key: 'k', value: 'v' }],
    ['{"value":{"total":1}}', { isJson: true }, { key: null, value: '{"total":1}' }],
    [
      '{"value":null,"partition":2,"timestamp":5}',
      { isJson: true },
      { value: null, partition: 2, timestamp: 5 },
    ],
    ['{"value":"v","partition":2}', { isJson: true, partition: 1 }, { value: 'v', partition: 1 }],
    [
      '{"headers":{"a":"b"}}',
      { isJson: true, headers: [['c', 'd']] },
      {
        headers: [
          ['a', 'b'],
          ['c', 'd'],
        ],
      },
    ],
    // kcat's envelope
    [
      '{"key":"k","payload":"v","ts":9,"headers":["a","b"]}',
      { isJson: true },
      { value: 'v', timestamp: 9, headers: [['a', 'b']] },
    ],
  ] as const)('%s with %j', (line, options, expected) => {
    expect(record(line, options as Partial<LineOptions>)).toMatchObject(expected);
  });

  test('a line of JSON may name a partition that does not count', () => {
    expect(record('{"value":"v","partition":2}', { isJson: true, repartition: true })).not.toHaveProperty(
      'partition',
    );
  });

  test.each([
    ['{', /is no record in JSON: /],
    ['[1]', /it is no object/],
    ['{"partition":-1}', /its partition is no whole number/],
    ['{"headers":["a"]}', /a header has no value/],
    ['{"headers":[{"value":"x"}]}', /a header has no key/],
    ['{"headers":7}', /neither a list nor an object/],
  ])('%s is refused', (line, reason) => {
    expect(() => recordFromJson(line)).toThrow(reason);
  });

  test('what consume prints as JSON is read again byte by byte', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 8 }).map((each) => Buffer.from(each)));
    fc.assert(
      fc.property(bytes, bytes, fc.array(fc.tuple(fc.string(), bytes)), (keyBytes, valueBytes, headers) => {
        const line = recordToJson({
          topic: 't',
          partition: 1,
          offset: 5,
          timestamp: 9,
          keyBytes,
          valueBytes,
          headers: headers.map(([key, value]) => ({ key, value })),
        });
        const { key, value, headers: read, partition, timestamp } = recordFromJson(line);
        const asBytes = (field: Buffer | string | null): Buffer | null =>
          field === null ? null : Buffer.from(field);
        expect([asBytes(key), asBytes(value), partition, timestamp]).toEqual([keyBytes, valueBytes, 1, 9]);
        expect(read.map(([name, each]) => [name, asBytes(each)])).toEqual(headers);
      }),
    );
  });
});

test.each([
  [[], { from: 'end', untilMs: null }],
  [['beginning'], { from: 'beginning', untilMs: null }],
  [['-5'], { from: '-5', untilMs: null }],
  [['s@1000', 'e@2000'], { from: { timeMs: 1000 }, untilMs: 2000 }],
  [['e@2000'], { from: 'beginning', untilMs: 2000 }],
  [['s@1970-01-01T00:00:01'], { from: { timeMs: 1000 }, untilMs: null }],
  [['s@1970-01-01T01:00:01+01:00'], { from: { timeMs: 1000 }, untilMs: null }],
])('-o %j is a range', (values, range) => {
  expect(parseRange(values)).toEqual(range);
});

test.each([['middle'], ['s@soon'], ['beginning', 'end']])('-o %s %s is none', (...values) => {
  expect(() => parseRange(values)).toThrow(/Offset|Time/);
});

test.each([
  [{ grep: '^a' }, true],
  [{ grep: '^b$' }, true],
  [{ grep: 'c' }, false],
  [{ grepKey: 'b' }, false],
  [{ grepValue: 'b' }, true],
  [{ grepHeader: ['h=^x'] }, true],
  [{ grepHeader: ['h=^y'] }, false],
  [{ grepHeader: ['g=x'] }, false],
  [{ grepKey: 'a', grepValue: 'a' }, false],
])('the filter %j', (options, isWanted) => {
  const record = {
    topic: 't',
    partition: 0,
    offset: 0,
    timestamp: 0,
    keyBytes: Buffer.from('a'),
    valueBytes: Buffer.from('b'),
    headers: [{ key: 'h', value: Buffer.from('x') }],
  };
  expect(recordFilter({ grepHeader: [], ...options })?.(record) ?? true).toBe(isWanted);
});

test('a filter that is no regular expression is refused', () => {
  expect(() => recordFilter({ grepHeader: [], grep: '(' })).toThrow(/^--grep: /);
});
