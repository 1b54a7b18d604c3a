import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/index.ts';
import { headersAfterFailure, RetryInfo } from '../../src/retry-topics/retry-headers.ts';

function messageWith(headers: readonly (readonly [string, string])[], more: object = {}): Message {
  return {
    topic: 'orders',
    partition: 3,
    offset: 258,
    timestamp: 1_700_000_000_000,
    timestampType: 'CreateTime',
    headers: headers.map(([key, hex]) => ({ key, value: Buffer.from(hex, 'hex') })),
    ...more,
  } as unknown as Message;
}

function hexOf(headers: readonly (readonly [string, Buffer | null])[]): Record<string, string | undefined> {
  return Object.fromEntries(headers.map(([key, value]) => [key, value?.toString('hex')]));
}

const failure = { error: new RangeError('too much'), attempt: 1, group: 'billing', notBeforeMs: 0 };

describe('what is written', () => {
  test('has the bytes that Spring writes: ByteBuffer.putInt and putLong, BigInteger.toByteArray, UTF-8', () => {
    const written = headersAfterFailure(messageWith([]), { ...failure, notBeforeMs: 1_700_000_001_000 });
    expect(hexOf(written)).toMatchObject({
      'kafka_original-topic': Buffer.from('orders').toString('hex'),
      'kafka_original-partition': '00000003',
      'kafka_original-offset': '0000000000000102',
      'kafka_original-timestamp': '0000018bcfe56800',
      'kafka_original-timestamp-type': Buffer.from('CreateTime').toString('hex'),
      'kafka_dlt-original-consumer-group': Buffer.from('billing').toString('hex'),
      'kafka_exception-fqcn': Buffer.from('RangeError').toString('hex'),
      'kafka_exception-message': Buffer.from('too much').toString('hex'),
      'retry_topic-attempts': '00000002',
      'retry_topic-original-timestamp': '018bcfe56800',
      'retry_topic-backoff-timestamp': '018bcfe56be8',
    });
  });

  test.each([
    [0, '00'],
    [1, '01'],
    [127, '7f'],
    [128, '0080'],
    [255, '00ff'],
    [256, '0100'],
    [-1, 'ff'],
    [-128, '80'],
    [-129, 'ff7f'],
    [2 ** 47, '00800000000000'],
  ])('the shortest form of %d is %s, and is read again', (notBeforeMs, hex) => {
    const written = hexOf(headersAfterFailure(messageWith([]), { ...failure, notBeforeMs }));
    expect(written['retry_topic-backoff-timestamp']).toBe(hex);
    const info = new RetryInfo(messageWith([['retry_topic-backoff-timestamp', hex]]));
    expect(info.notBeforeMs).toBe(notBeforeMs);
  });

  test('the origin stays that of the first failure, what this failure says replaces what the last one said', () => {
    const first = headersAfterFailure(messageWith([['a', '01']]), failure);
    const again = {
      ...messageWith([], { topic: 'orders-retry', partition: 0, offset: 9, timestamp: 1 }),
      headers: first.map(([key, value]) => ({ key, value })),
    } as unknown as Message;
    const second = headersAfterFailure(again, { ...failure, error: new Error('other'), attempt: 2 });
    const names = second.map(([key]) => key);
    expect(new Set(names).size).toBe(names.length);
    expect(hexOf(second)).toEqual({
      ...hexOf(first),
      'kafka_exception-fqcn': Buffer.from('Error').toString('hex'),
      'kafka_exception-cause-fqcn': Buffer.from('Error').toString('hex'),
      'kafka_exception-message': Buffer.from('other').toString('hex'),
      'kafka_exception-stacktrace': expect.any(String),
      'retry_topic-attempts': '00000003',
    });
  });
});

describe('what is read', () => {
  test.each([
    ['four bytes', ['00000005'], 5],
    ['one byte, as Spring once wrote', ['05'], 5],
    ['the last of several, as Spring appends them', ['00000002', '00000003'], 3],
    ['none', [], 1],
    ['nonsense', ['0102'], 1],
    ['too many', ['7fffffff'], 1],
    ['fewer than one', ['00000000'], 1],
  ])('attempts from %s', (_, values, attempt) => {
    const headers = values.map((hex) => ['retry_topic-attempts', hex] as const);
    expect(new RetryInfo(messageWith(headers)).attempt).toBe(attempt);
  });

  test('a time of more than eight bytes or none counts as absent', () => {
    for (const hex of ['', '000000000000000000'])
      expect(new RetryInfo(messageWith([['retry_topic-backoff-timestamp', hex]])).notBeforeMs).toBeNull();
  });

  test('a record that has not failed is its own origin', () => {
    const info = new RetryInfo(messageWith([]));
    expect(info.origin).toEqual({ topic: 'orders', partition: 3, offset: 258, timestamp: 1_700_000_000_000 });
    expect(info.failure).toBeNull();
  });
});
