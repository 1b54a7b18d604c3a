import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OptionError, serde, SerdeError, topic, type Serde, type StandardSchema } from '../../src/index.ts';

const context = { topic: 'orders', part: 'value' } as const;

function roundTrip<T>(codec: Serde<T>, value: T): T {
  return codec.deserialize(codec.serialize(value, context), context);
}

describe('serdes', () => {
  test('values come back as they were', () => {
    const comesBack = <T>(
      codec: Serde<T>,
      values: fc.Arbitrary<T>,
      expected = (value: T): unknown => value,
    ): void =>
      fc.assert(
        fc.property(values, (value) => {
          expect(roundTrip(codec, value)).toEqual(expected(value));
        }),
      );
    comesBack(serde.string, fc.string({ unit: 'grapheme' }));
    comesBack(serde.int16, fc.integer({ min: -32_768, max: 32_767 }));
    comesBack(serde.int32, fc.integer());
    comesBack(serde.int64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
    comesBack(serde.float, fc.float());
    comesBack(serde.double, fc.double());
    comesBack<unknown>(serde.json(), fc.jsonValue(), (value) => JSON.parse(JSON.stringify(value)) as unknown);
    comesBack(
      serde.bytes,
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
  });

  test.each([
    ['int32', serde.int32, 5, '00000005'],
    ['int64', serde.int64, -2n, 'fffffffffffffffe'],
    ['double', serde.double, 1.5, '3ff8000000000000'],
    ['string', serde.string, 'é', 'c3a9'],
  ] as const)("%s has the bytes of Kafka's own serializer", (_, codec, value, hex) => {
    expect((codec as Serde<unknown>).serialize(value, context)?.toString('hex')).toBe(hex);
  });

  test.each([
    [
      'int32 out of range',
      () => serde.int32.serialize(2 ** 31, context),
      'Cannot write number "2147483648" as int32',
    ],
    ['a number as string', () => serde.string.serialize(5 as unknown as string, context), 'as string'],
    ['undefined as json', () => serde.json().serialize(undefined, context), 'as json'],
    [
      'five bytes as int32',
      () => serde.int32.deserialize(Buffer.alloc(5), context),
      'has 5 bytes, int32 has 4',
    ],
    ['no json', () => serde.json().deserialize(Buffer.from('{'), context), 'is no JSON'],
    ['no value where one is declared', () => serde.string.deserialize(null, context), 'use serde.nullable'],
  ])('%s is a SerdeError that names the topic', (_, act, text) => {
    expect(act).toThrow(SerdeError);
    expect(act).toThrow(text);
    expect(act).toThrow('orders');
  });

  test('nullable lets null through both ways', () => {
    expect(roundTrip(serde.nullable(serde.string), null)).toBeNull();
    expect(roundTrip(serde.nullable(serde.string), 'x')).toBe('x');
  });

  test('a Standard Schema validates what is read, and its output is the value', () => {
    const schema: StandardSchema<unknown, { total: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) => {
          const total = (value as { total?: unknown }).total;
          return typeof total === 'number'
            ? { value: { total: total * 2 } }
            : { issues: [{ message: 'Expected number', path: ['total', { key: 'deep' }] }] };
        },
      },
    };
    const codec = serde.json(schema);
    expect(codec.deserialize(Buffer.from('{"total":2}'), context)).toEqual({ total: 4 });
    expect(() => codec.deserialize(Buffer.from('{}'), context)).toThrow('total.deep: Expected number');
  });
});

describe('topic', () => {
  test.each(['', '.', '..', 'a b', 'x'.repeat(250), 'a/b'])('the name "%s" is refused', (name) => {
    expect(() => topic(name)).toThrow(OptionError);
  });

  test('configs become text', () => {
    expect(
      topic('t', { configs: { 'retention.ms': 5, 'unclean.leader.election.enable': true } }).configs,
    ).toEqual({
      'retention.ms': '5',
      'unclean.leader.election.enable': 'true',
    });
  });
});
